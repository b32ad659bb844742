"""Projections: a trajectory laid out in two or three dimensions at every step."""
