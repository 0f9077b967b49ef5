"""What was observed, and learning priors from it."""
