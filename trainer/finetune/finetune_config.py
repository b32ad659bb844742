"""What can be chosen about a fine-tuning, and how its learning rate rises and falls. No torch is needed to read it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from data.errors import InputError
from trainer.config import check_seed

WARMUP_SHARE = 0.1
"""The warm-up takes no more than this share of the steps, unless it is set."""


@dataclass(frozen=True)
class TuneConfig:
    """Everything about a fine-tuning but its data; the same configuration, base and data give the same run."""

    learning_rate: float = 3e-5
    """Of AdamW, at the end of the warm-up."""
    warmup_steps: int | None = None
    """Steps in which the learning rate rises; 5000, or a tenth of all steps if that is less."""
    weight_decay: float = 0.0
    """Of AdamW, on matrices alone: no gain, bias or table decays."""
    clip: float = 1.0
    """Longest gradient; a longer one is shortened to it. 0 leaves all as they are."""
    epochs: int = 5
    """How often every document is seen."""
    micro_batch: int = 1
    """Sequences that go through the model at once: they decide the memory needed."""
    accumulate: int = 32
    """Micro-batches in a step; their gradients are added up."""
    dropout: float | None = None
    """Share of activations silenced at random while training; the model's own if not given."""
    eval_every: int | None = None
    """Steps between evaluations (losses, a text sample); a twentieth of all if not given."""
    snapshot_every: int | None = None
    """Steps between snapshots; a twentieth of all if not given. Small models have one at 1, 2, 4, ... 64 too."""
    seed: int = 1337
    """Decides the rows of new tokens, the split, the order of the data, dropout and samples."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    threads: int | None = None
    """CPU threads; if not given, all, or one if a small model is faster so. Another number rounds differently."""
    resume_every: float = 60.0
    """At most every so many seconds, at a snapshot, what --resume needs is saved."""


@dataclass(frozen=True)
class LanguageConfig(TuneConfig):
    """What a fine-tuning on documents learns from, and how."""

    corpus: str = "jokes"
    """jokes, a CSV, TSV, JSONL, Parquet or text file, a name of `python -m data list`, or a data set of Hugging Face (owner/name)."""
    text_column: str | None = None
    """Column of a table that holds the texts; Joke or text if not given."""
    language: str = "en"
    """Of the jokes."""
    split: str = "train"
    """Part of a data set of Hugging Face."""
    prefix: str | None = None
    """Stands before each text; "JOKE: " for jokes, nothing for others, if not given."""
    length: int = 500
    """Tokens in a row that documents are packed into; the model's context if that is less."""
    too_long: str = "skip"
    """What is done with documents longer than a row: skip, or cut."""
    mask_boundaries: bool = True
    """Keep documents that share a row from seeing each other; otherwise each sees those before it in the row."""
    held_out: float = 0.1
    """Share of the documents that is not learned but judged by."""
    eval_rows: int = 64
    """Rows of each part that an evaluation looks at; the last one also looks at all that was held out."""
    prompt: str | None = None
    """What samples go on from; the prefix, or the opening of the first document that is held out, if not given."""
    sample_tokens: int = 100
    """Longest sample."""


@dataclass(frozen=True)
class Linear:
    """The learning rate as a share of its peak: a straight line up over the warm-up, and one down to 0 at the last step.

    Examples
    --------
    >>> [Linear(warmup_steps=4, steps=12)(step) for step in (0, 2, 4, 8, 12)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    warmup_steps: int
    steps: int

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return step / self.warmup_steps
        return max(0.0, (self.steps - step) / max(1, self.steps - self.warmup_steps))


def plan(config: TuneConfig, steps: int) -> Linear:
    """Return the learning rates of ``steps`` steps; a warm-up that is not set takes 5000 of them, or a tenth if that is less."""
    if config.warmup_steps is not None:
        return Linear(config.warmup_steps, steps)
    return Linear(min(5000, int(WARMUP_SHARE * steps)), steps)


def check(config: TuneConfig) -> TuneConfig:
    """Return ``config`` if it can be trained; an `InputError` says which field cannot be and why."""
    for name in ("epochs", "micro_batch", "accumulate", "eval_every", "snapshot_every", "threads"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise InputError(f"{name} must be 1 or more; got {value}: pass --{name.replace('_', '-')} 1, say")
    for name in ("warmup_steps", "weight_decay", "clip"):
        value = getattr(config, name)
        if value is not None and not 0 <= value < math.inf:
            raise InputError(f"{name} must be 0 or more; got {value}")
    check_seed(config.seed)
    if not 0 < config.learning_rate < math.inf:
        raise InputError(f"learning_rate must be above 0; got {config.learning_rate}: pass --learning-rate 3e-5, say")
    if isinstance(config, LanguageConfig):
        # In a row of one token there is none that could be foretold.
        for name, least in (("length", 2), ("eval_rows", 1), ("sample_tokens", 1)):
            if getattr(config, name) < least:
                raise InputError(f"{name} must be {least} or more; got {getattr(config, name)}")
    if config.dropout is not None and not 0 <= config.dropout < 1:
        raise InputError(f"dropout must be at least 0 and below 1; got {config.dropout}")
    return config
