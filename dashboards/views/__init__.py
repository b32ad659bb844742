"""Panels made of probes' arrays."""
