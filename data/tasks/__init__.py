"""Supervised examples: the kinds there are, tasks made from the plays, and tasks read from files."""
