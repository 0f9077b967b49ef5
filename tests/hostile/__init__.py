"""Attacks on the simulator: what is broken on purpose, where writing is cut off, who works beside whom."""
