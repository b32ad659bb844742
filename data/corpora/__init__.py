"""Corpora by name, the plays they hold, and any UTF-8 text file."""
