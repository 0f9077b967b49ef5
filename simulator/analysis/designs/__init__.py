"""Designs: thousands of points at once, and where among them an outcome comes early."""
