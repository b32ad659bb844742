"""Recording what decoding weighed up: at each token the leading candidates, with their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.runs import Snapshot
from data.runs.atomic_files import Record
from data.runs.traces import Trace
from data.tokens.tokenizers import Tokenizer
from trainer.generation.filters import Decoding, softmax
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.sampling import DecodingStep

N_CANDIDATES = 10


@dataclass
class Recorder:
    """Keeps the candidates of each choice; give its `watch` to `trainer.generation.sampling.stream`."""

    tokenizer: Tokenizer
    n_candidates: int = N_CANDIDATES
    steps: list[Record] = field(default_factory=list)
    _n_chosen: int = 0

    def __post_init__(self) -> None:
        self._labels = self.tokenizer.labels

    def watch(self, choice: DecodingStep, going: Sequence[int]) -> None:
        """Record a choice for the samples that are still going."""
        likely = softmax(choice.logits)
        for row in going:
            leading = leading_tokens(likely[row], choice.drawn_from[row], self.n_candidates)
            chosen = self._candidate(int(choice.tokens[row]), likely[row], choice.drawn_from[row])
            told = dict(zip(("id", "token", "probability", "drawn_from"), chosen, strict=True))
            candidates = [self._candidate(int(token), likely[row], choice.drawn_from[row]) for token in leading]
            self.steps.append({"sample": row, "position": self._n_chosen, **told, "candidates": candidates})
        self._n_chosen += 1

    def trace(self, run: str, snapshot: Snapshot, prompt: str, decoding: Decoding, request: GenerationRequest) -> Trace:
        """Return everything recorded, with what was asked."""
        asked = {
            "run": run,
            "step": snapshot.step,
            "sha256": snapshot.sha256,
            "prompt": prompt,
            "prompt_tokens": [self._labels[int(token)] for token in self.tokenizer.encode(prompt)],
            "decoding": asdict(decoding),
            "request": asdict(request),
        }
        return Trace(asked, tuple(self.steps))

    def _candidate(self, token: int, likely: NDArray[Any], drawn_from: NDArray[Any]) -> list[Any]:
        label = self._labels[token] if token < len(self._labels) else f"<{token}>"
        return [token, label, round(float(likely[token]), 6), round(float(drawn_from[token]), 6)]


def leading_tokens(likely: NDArray[Any], drawn_from: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Return the ids of the n tokens with the largest probability to be drawn; among those that cannot be, of the model's own.

    Examples
    --------
    >>> leading_tokens(np.array([0.1, 0.5, 0.3, 0.1]), np.array([0.0, 0.0, 1.0, 0.0]), 3)
    array([2, 1, 0])
    """
    n = min(n, len(likely))
    # A few more than needed by each measure, so that a large vocabulary is not sorted whole at every token.
    some = np.union1d(np.argpartition(-drawn_from, n - 1)[:n], np.argsort(-likely, kind="stable")[:n])
    order = np.lexsort((some, -likely[some], -drawn_from[some]))
    return np.asarray(some[order[:n]], dtype=np.int64)
