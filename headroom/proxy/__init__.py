"""A forwarder between agents and their providers: `headroom proxy`."""
