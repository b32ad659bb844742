"""Training recipes, learning-rate schedules, and the SOAP optimizer."""
