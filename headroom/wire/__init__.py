"""Requests and responses as providers write them on the wire: what HTTP doorways share."""
