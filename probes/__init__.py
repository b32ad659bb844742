"""Probes: snapshots of a run in, labelled arrays out.

A probe is a pure function from a `~data.runs.Run` to an xarray object with labelled dimensions. One that covers all steps is a
trajectory: its first dimension is ``step``. The probes of `PROBES` are here under their names::

    import probes
    from data.runs import open_run

    run = open_run()                                     # the newest
    probes.heads(run)                                    # Dataset (step, layer, head)
    probes.attention(run, "To be")                       # DataArray (step, layer, head, query, key)
    probes.tokens(run).sel(token="a")                    # DataArray (step, dim)
    probes.cohesion(run, "tokens", "vowels")             # Dataset (step, null)

`read_table` reads an embedding table, `parse_highlight` names groups of its items, `measure` computes a probe by name, `export_files`
writes its result, and within `open_client` the work is shared out among processes or machines. Everything is imported when it is first
used; only probes that run a model import torch.
"""

from typing import Any

import lazy_loader

_attribute, _, _others = lazy_loader.attach(
    __name__,
    submod_attrs={
        "export": ["export_files"],
        "groups.naming": ["Group", "parse_highlight"],
        "groups.wording": ["comparison_sentence"],
        "parallel": ["open_client"],
        "registry": ["PROBES", "ProbeRequest", "measure"],
        "tables.embeddings": ["lazy_table", "read_table"],
        "tables.vectors": ["import_vectors", "read_word2vec"],
    },
)

__all__ = [
    "attention",
    "cohesion",
    "context",
    "copying",
    "forward_trace",
    "heads",
    "lens",
    "lens_terms",
    "neighbours",
    "next_token",
    "position_order",
    "position_similarity",
    "position_structure",
    "positions",
    "token_geometry",
    "tokens",
    "zero_shot",
    *_others,
]


def __getattr__(name: str) -> Any:
    """Import a probe, or another public name, when it is first used."""
    from probes.registry import PROBES

    kind = PROBES.get(name.replace("_", "-"))
    return _attribute(name) if kind is None else kind.load()


def __dir__() -> list[str]:
    return sorted(__all__)
