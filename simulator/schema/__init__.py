"""What a scenario file may say: frozen specs, names of priors, drivers by entry point."""
