"""What matters and what differs: swings, shares, influence, audit, sweeps, comparison, reweighting."""
