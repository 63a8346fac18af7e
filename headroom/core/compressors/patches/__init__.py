"""Rooms of `diffs`: a patch taken apart, and what of it to show."""
