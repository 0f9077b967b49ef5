"""The equations: levels, limits, projection, crossings, counts."""
