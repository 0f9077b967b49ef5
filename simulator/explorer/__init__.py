"""The explorer: change an assumption, see the forecast move, in the browser or a notebook."""
