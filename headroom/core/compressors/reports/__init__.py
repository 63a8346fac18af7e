"""Rooms of `test_reports`: compilers' and linters' diagnostics."""
