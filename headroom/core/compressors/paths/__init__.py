"""Rooms of `search_hits` and `listings`: hits and entries grouped by file and folder."""
