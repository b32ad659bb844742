"""Upkeep of runs on disk: what is wrong with one (`data.upkeep.verification`), moving it aside (`repair`), thinning snapshots (`pruning`),
and what takes the room (`sizes`).
"""
