"""Rooms shared by kinds that show lines: choosing, folding, units, worth, and templates of logs."""
