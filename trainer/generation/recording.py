"""Record a trace of decoding: at each token the most probable candidates, with their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.files.atomic_files import Record
from data.runs import Snapshot
from data.runs.traces import Trace
from data.tokens.tokenizers import Tokenizer
from trainer.generation.filters import Decoding, softmax
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.sampling import DecodingStep

N_CANDIDATES = 10
_LATER = ("typical_p", "penalize_prompt", "repetition_penalty", "no_repeat_ngram_size", "clean_up_spaces")
"""Options that are recorded where they are used: other traces keep the names and headers that they had before there were these."""


@dataclass
class TraceRecorder:
    """Records the candidates of each decoding step; pass its `record` to `trainer.generation.sampling.stream_text` as ``on_step``."""

    tokenizer: Tokenizer
    n_candidates: int = N_CANDIDATES
    steps: list[Record] = field(default_factory=list)
    _n_recorded: int = 0

    def __post_init__(self) -> None:
        self._labels = self.tokenizer.labels

    def record(self, step: DecodingStep, active: Sequence[int]) -> None:
        """Record a step for the samples that have not ended."""
        probability = softmax(step.logits)
        for row in active:
            distributions = probability[row], step.drawn_from[row]
            chosen = self._candidate(int(step.tokens[row]), *distributions)
            fields = dict(zip(("id", "token", "probability", "drawn_from"), chosen, strict=True))
            leading = top_candidates(*distributions, self.n_candidates)
            candidates = [self._candidate(int(token), *distributions) for token in leading]
            self.steps.append({"sample": row, "position": self._n_recorded, **fields, "candidates": candidates})
        self._n_recorded += 1

    def trace(self, run: str, snapshot: Snapshot, prompt: str, decoding: Decoding, request: GenerationRequest) -> Trace:
        """Build the trace of the recorded steps, with the request that led to them."""
        header = {
            "run": run,
            "step": snapshot.step,
            "sha256": snapshot.sha256,
            "prompt": prompt,
            "prompt_tokens": [self._labels[int(token)] for token in self.tokenizer.encode(prompt)],
            "decoding": _described(decoding),
            "request": _described(request),
        }
        return Trace(header, tuple(self.steps))

    def _candidate(self, token: int, probability: NDArray[Any], drawn_from: NDArray[Any]) -> list[Any]:
        label = self._labels[token] if token < len(self._labels) else f"<{token}>"
        return [token, label, round(float(probability[token]), 6), round(float(drawn_from[token]), 6)]


def _described(options: Decoding | GenerationRequest) -> Record:
    usual = type(options)()
    return {
        name: value for name, value in asdict(options).items() if name not in _LATER or value != getattr(usual, name)
    }


def top_candidates(probability: NDArray[Any], drawn_from: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Find the ids of the n tokens with the largest ``drawn_from`` (token,), and where that is 0 the largest ``probability`` (token,).

    Examples
    --------
    >>> top_candidates(np.array([0.1, 0.5, 0.3, 0.1]), np.array([0.0, 0.0, 1.0, 0.0]), 3)
    array([2, 1, 0])
    """
    n = min(n, len(probability))
    # The n first by each measure are enough: no need to sort a large vocabulary at every token.
    some = np.union1d(np.argpartition(-drawn_from, n - 1)[:n], np.argsort(-probability, kind="stable")[:n])
    order = np.lexsort((some, -probability[some], -drawn_from[some]))
    return np.asarray(some[order[:n]], dtype=np.int64)
