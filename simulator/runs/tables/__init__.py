"""Tables of a run that are about one part of it."""
