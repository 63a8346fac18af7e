"""Rooms of `source_code`: what is code, views with line numbers, the outline, and what each line is worth."""
