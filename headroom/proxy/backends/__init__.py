"""Cloud services behind the proxy, each reached through its official client: `headroom proxy --backend bedrock`."""
