"""What a package may add to the simulator, a file each."""
