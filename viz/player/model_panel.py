"""The panel of the model at work: a position of a prompt on its way through the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from viz.player.panels import Panel


@dataclass(frozen=True)
class Word:
    """A token as the flow writes it: ``label`` in the plot, ``name`` in sentences, ``item`` in the address of the embeddings page."""

    label: str
    name: str
    item: str


@dataclass(frozen=True)
class ModelFlow(Panel):
    """A prompt on its way through the model at every step: tokens, embeddings, layers, and what the stream says after each.

    Parameters
    ----------
    tokens, ids : of the prompt.
    place : the position that is followed.
    vocabulary : the tokens that lead somewhere, by id.
    trace, lens : variables of `~probes.models.forward_trace`, their dimensions in that order.
    strips : vectors for drawing, (step, bin) or (step, layer, bin): neighbouring dimensions are averaged where there are many.
    facts : n_dims, n_vocabulary, head_size, and ``post`` where each sum is normalised (GPT-1).
    ramp : colours of a diverging scale, from negative to positive.
    color : of lines and bars.
    words : texts, by key.
    links : addresses of the pages that show the tokens and the heads; none where there are no such pages.
    chosen : as in `HeatMaps`.
    """

    tokens: Sequence[Word]
    ids: Sequence[int]
    place: int
    vocabulary: Mapping[int, Word]
    trace: Mapping[str, NDArray[Any]]
    lens: Mapping[str, NDArray[Any]]
    strips: Mapping[str, NDArray[Any]]
    facts: Mapping[str, float]
    ramp: Sequence[str]
    color: str
    words: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)
    chosen: tuple[int, int] | None = None
