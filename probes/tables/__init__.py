"""Probes of the token and position tables; none of them loads torch."""
