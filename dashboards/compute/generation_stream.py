"""Texts that are being generated: a stream continues when the page reruns, and is dropped when the page no longer shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.compute.computation import Computation
from dashboards.compute.queries import WORTH_THREADS, set_threads
from data.errors import InputError
from data.runs import Run
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest

if TYPE_CHECKING:
    from trainer.generation.sampling import EndReason, Piece

MOST_KEPT = 48


@dataclass(frozen=True)
class GenerationTask:
    """A text to generate: with which snapshot, after which prompt, and how."""

    run: Run
    step: int
    sha256: str
    prompt: str
    decoding: Decoding
    request: GenerationRequest


@dataclass
class GenerationStream:
    """A text that is being generated: ``end`` says why it has ended, ``error`` why no more could be generated."""

    task: GenerationTask
    computation: Computation = field(repr=False)
    text: str = ""
    end: EndReason | None = None
    error: InputError | None = None
    _pieces: Iterator[Piece] | None = field(default=None, repr=False)

    @property
    def is_finished(self) -> bool:
        return self.end is not None or self.error is not None

    def advance(self, seconds: float) -> None:
        """Generate for ``seconds``, at least one token, or to the end."""
        set_threads(self.task.run)
        until = time.monotonic() + seconds
        try:
            if self._pieces is None:
                self._pieces = _pieces(self.task, self.computation)
            for piece in self._pieces:
                self.text += piece.text
                self.end = piece.end
                if self.end or time.monotonic() >= until:
                    break
        except InputError as error:
            self.error = error
        if self.is_finished:
            self._pieces = None  # which holds the model


def open_streams(
    streams: MutableMapping[GenerationTask, GenerationStream], tasks: Sequence[GenerationTask], computation: Computation
) -> list[GenerationStream]:
    """Return the stream of each task, started anew or continued; unfinished streams of other tasks are dropped.

    ``streams``, those of this visit, are changed in place; the last finished ones are kept.
    """
    for other in [task for task, stream in streams.items() if task not in tasks and not stream.is_finished]:
        del streams[other]
    found = [streams.setdefault(task, GenerationStream(task, computation)) for task in tasks]
    for other in [task for task in streams if task not in tasks][: max(0, len(streams) - MOST_KEPT)]:
        del streams[other]
    return found


def advance_streams(streams: Sequence[GenerationStream], seconds: float) -> Iterator[GenerationStream]:
    """Advance all streams in turn until all are finished, yielding each that has grown; large models one after the other."""
    while unfinished := [stream for stream in streams if not stream.is_finished]:
        for stream in unfinished[:1] if _is_large(unfinished[0].task.run) else unfinished:
            stream.advance(seconds / len(unfinished))
            yield stream


def _pieces(task: GenerationTask, computation: Computation) -> Iterator[Piece]:
    from trainer.generation.sampling import stream_text
    from trainer.loading import load_model

    models = computation.large_models if _is_large(task.run) else computation.models
    model = models.get((task.run.path, task.step, task.sha256), lambda: load_model(task.run, task.step)).value
    return stream_text(model, task.run.tokenizer, task.prompt, decoding=task.decoding, request=task.request)


def _is_large(run: Run) -> bool:
    return bool(run.info.get("parameters", 0) >= WORTH_THREADS)
