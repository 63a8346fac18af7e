"""Rooms of `json_records`: reading JSON exactly, tables, what a digest shows, and documents too large to decode."""
