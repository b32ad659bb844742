"""Configuration of a fine-tuning. Importing it needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from data.errors import InputError
from trainer.config import ON_SNAPSHOT_ERROR
from trainer.field_checks import check_at_least, check_choice, check_dropout, check_finite, check_seed
from trainer.loggers.choice import logger_names
from trainer.optimizers.schedules import Linear

WARMUP_SHARE = 0.1
"""Longest warm-up as a share of the steps, unless ``warmup_steps`` is set."""

RESUMABLE = {"device", "threads", "resume_every", "on_snapshot_error", "log"}
"""Fields that may differ when a fine-tuning is resumed."""


@dataclass(frozen=True)
class TuneConfig:
    """The configuration of a fine-tuning except its data; the same configuration, base and data give the same run."""

    learning_rate: float = 3e-5
    """Peak learning rate of AdamW, reached at the end of the warm-up."""
    warmup_steps: int | None = None
    """Steps in which the learning rate rises; 5000, or a tenth of all steps if that is less."""
    weight_decay: float = 0.0
    """Weight decay of AdamW, on matrices only: gains, biases and tables do not decay."""
    clip: float = 1.0
    """Largest gradient norm; larger gradients are scaled down to it. 0 turns clipping off."""
    epochs: int = 5
    """How often every document is seen."""
    micro_batch: int = 1
    """Sequences in one pass through the model; the memory needed depends on it."""
    accumulate: int = 32
    """Micro-batches in a step; their gradients are added up."""
    dropout: float | None = None
    """Share of activations set to zero at random in training; that of the model if not given."""
    eval_every: int | None = None
    """Steps between evaluations (losses, a text sample); a twentieth of all if not given."""
    snapshot_every: int | None = None
    """Steps between snapshots; a twentieth of all if not given. Small models have one at 1, 2, 4, ... 64 too."""
    seed: int = 1337
    """Seed of the rows of new tokens, the split, the data order, dropout and samples."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    threads: int | None = None
    """CPU threads; if not given, all, or one where that is faster for a small model. Another number rounds differently."""
    resume_every: float = 60.0
    """Shortest time in seconds between two saves of what --resume needs; it is saved at snapshots."""
    on_snapshot_error: str = "stop"
    """What to do when the disk refuses a snapshot: stop, or continue without it."""
    log: str | None = None
    """Log to tensorboard, wandb or trackio too, or to several with commas between; metrics.jsonl is always written."""


@dataclass(frozen=True)
class LanguageConfig(TuneConfig):
    """The configuration of a fine-tuning on documents."""

    corpus: str = "jokes"
    """jokes, a CSV, TSV, JSON, JSONL, Parquet or text file, a name of `python -m data list`, or a data set of Hugging Face (owner/name)."""
    text_column: str | None = None
    """Column of a table that holds the texts; if not given, Joke or text, or those of instructions or conversations, joined."""
    language: str = "en"
    """Language of the jokes."""
    split: str = "train"
    """Split of a data set of Hugging Face."""
    prefix: str | None = None
    """Text put before each document; "JOKE: " for jokes, nothing for others, if not given."""
    length: int = 500
    """Tokens in a row that documents are packed into; the model's context if that is less."""
    too_long: str = "skip"
    """What to do with documents longer than a row: skip, or cut."""
    mask_boundaries: bool = True
    """Prevent attention between documents that share a row; otherwise each sees those before it in the row."""
    held_out: float = 0.1
    """Share of the documents held out for validation."""
    eval_rows: int = 64
    """Rows of each split in an evaluation; the last evaluation covers all held-out documents too."""
    prompt: str | None = None
    """The text that samples continue; the prefix, or the opening of the first held-out document, if not given."""
    sample_tokens: int = 100
    """Tokens of the longest sample."""


def schedule(config: TuneConfig, steps: int) -> Linear:
    """Build the learning-rate schedule; a warm-up that is not set takes 5000 steps, or a tenth of all if that is less."""
    if config.warmup_steps is not None:
        return Linear(config.warmup_steps, steps)
    return Linear(min(5000, int(WARMUP_SHARE * steps)), steps)


def check(config: TuneConfig) -> TuneConfig:
    """Check a configuration and return it; an `InputError` names the field that is wrong."""
    check_finite(config)
    check_at_least(config, 1, "epochs", "micro_batch", "accumulate", "eval_every", "snapshot_every", "threads")
    check_at_least(config, 0, "warmup_steps", "weight_decay", "clip", "resume_every")
    check_seed(config.seed)
    check_choice(config, "on_snapshot_error", ON_SNAPSHOT_ERROR)
    if not 0 < config.learning_rate < math.inf:
        raise InputError(f"learning_rate must be above 0; got {config.learning_rate}: pass `learning_rate=3e-5`, say")
    if isinstance(config, LanguageConfig):
        check_at_least(config, 2, "length")  # a row of one token has no next token to predict
        check_at_least(config, 1, "eval_rows", "sample_tokens")
    check_dropout(config.dropout)
    logger_names(config.log)
    return config
