"""Rooms of `html`: the text that a reader sees."""
