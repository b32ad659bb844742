"""Texts that are being written: each goes on where it was when the page is drawn anew, and is let go when nobody asks for it."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.compute.queries import WORTH_THREADS, set_threads
from dashboards.compute.result_cache import ResultCache
from data.errors import InputError
from data.runs import Run
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest

if TYPE_CHECKING:
    from trainer.generation.sampling import EndReason, Piece

# A small model is a megabyte or so; of those that fill memory only the last is kept.
_models, _large_models = ResultCache(most=8), ResultCache(most=1)
MOST_KEPT = 48


@dataclass(frozen=True)
class GenerationTask:
    """What is to be written: the snapshot, the text to go on from, and how."""

    run: Run
    step: int
    sha256: str
    prompt: str
    decoding: Decoding
    request: GenerationRequest

    @property
    def key(self) -> Hashable:
        """What tells one text from another."""
        return (self.run.path, self.step, self.sha256, self.prompt, self.decoding, self.request)


@dataclass
class GenerationStream:
    """A text under way.

    ``text`` is what has come so far; ``end`` says why it is over, None while it is not; ``mistake`` what went wrong.
    """

    wish: GenerationTask
    text: str = ""
    end: EndReason | None = None
    mistake: str = ""
    _pieces: Iterator[Piece] | None = field(default=None, repr=False)

    @property
    def is_over(self) -> bool:
        return self.end is not None or bool(self.mistake)

    def go_on(self, seconds: float) -> None:
        """Write for so long, a token at least, or to the end."""
        set_threads(self.wish.run)
        until = time.monotonic() + seconds
        try:
            if self._pieces is None:
                self._pieces = _begin(self.wish)
            for piece in self._pieces:
                self.text += piece.text
                self.end = piece.end
                if self.end or time.monotonic() >= until:
                    break
        except InputError as mistake:
            self.mistake = str(mistake)
        if self.is_over:
            self._pieces = None  # and with it the model


def open_streams(
    kept: MutableMapping[Hashable, GenerationStream], wishes: Sequence[GenerationTask]
) -> list[GenerationStream]:
    """Return the texts that are wished for, begun or finished before where they were; what is no longer wished for is let go.

    Parameters
    ----------
    kept : the texts of this visit; finished ones stay among them for a while.
    """
    wanted = {wish.key for wish in wishes}
    for key in [key for key, writing in kept.items() if key not in wanted and not writing.is_over]:
        del kept[key]
    found = [kept.setdefault(wish.key, GenerationStream(wish)) for wish in wishes]
    for key in [key for key in kept if key not in wanted][: max(0, len(kept) - MOST_KEPT)]:
        del kept[key]
    return found


def advance_streams(under_way: Sequence[GenerationStream], seconds: float) -> Iterator[GenerationStream]:
    """Go on with all texts until each is over, yielding each that has grown; they take turns, but for models that fill memory."""
    while left := [writing for writing in under_way if not writing.is_over]:
        for writing in left[:1] if _is_large(left[0].wish.run) else left:
            writing.go_on(seconds / len(left))
            yield writing


def _begin(wish: GenerationTask) -> Iterator[Piece]:
    from trainer.generation.sampling import stream_text
    from trainer.loading import load_model

    store = _large_models if _is_large(wish.run) else _models
    model = store.get((wish.run.path, wish.step, wish.sha256), lambda: load_model(wish.run, wish.step)).value
    tokenizer = wish.run.tokenizer
    return stream_text(model, tokenizer, wish.prompt, decoding=wish.decoding, request=wish.request)


def _is_large(run: Run) -> bool:
    return bool(run.info.get("parameters", 0) >= WORTH_THREADS)
