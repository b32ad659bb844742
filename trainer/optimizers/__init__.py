"""Training recipes, their learning-rate schedules, and the SOAP optimizer."""
