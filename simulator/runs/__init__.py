"""A run as data: groups, files, tables, estimates, summaries."""
