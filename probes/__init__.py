"""Snapshots in, labelled arrays out.

A probe is a pure function from a `~data.runs.Run` to an xarray object; one that covers all steps is a trajectory, and its
first dimension is ``step``. `probes.tables.embeddings` reads the tables, `probes.groups.naming` names the items to be picked out.
"""
