"""A Scenario in, a run out: batches, workers, checkpoints, record."""
