"""Probes that run a model: attention, heads, logits, decoding."""
