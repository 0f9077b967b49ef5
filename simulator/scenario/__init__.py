"""From text to a checked Scenario; what two scenarios say differently; where each number comes from."""
