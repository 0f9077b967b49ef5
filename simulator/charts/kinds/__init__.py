"""One chart kind a file."""
