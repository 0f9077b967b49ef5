"""Forecasts from the past, scored; published forecasts."""
