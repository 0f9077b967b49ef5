"""What must hold between the entries of a scenario: names, units, order, and what no sample can mean."""
