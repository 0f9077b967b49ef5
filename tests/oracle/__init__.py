"""The model once more, in plain numpy and from the documents alone: nothing here imports the simulator."""
