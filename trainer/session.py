"""What a training holds while it runs, built the same way for a new run and for one that goes on."""

from __future__ import annotations

import copy
import datetime
import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data.corpora.catalog import Corpus
from data.errors import InputError
from data.runs import Run
from data.tokens.batches import (
    sequential_windows,
    shuffled_starts,
    split_text,
    split_tokens,
    window_index,
    window_starts,
)
from data.tokens.tokenizers import CharTokenizer, Tokenizer
from data.tokens.vocabularies import gpt2_tokenizer, learn_bpe
from trainer.config import VOCAB_SIZE, TrainConfig, model_config, snapshot_steps
from trainer.machine import fastest_threads, reuse_freed_memory
from trainer.model import GPT
from trainer.optimizers.recipes import RECIPES, build_optimizers, initialise

MOST_THREADS = 4


@dataclass(frozen=True)
class Session:
    """The parts of one training; weights and optimizer state change as it goes on."""

    config: TrainConfig
    tokenizer: Tokenizer
    model: GPT
    averaged: GPT
    """What is evaluated and kept: the running average of the weights, or ``model`` itself where the recipe keeps none."""
    optimizers: Sequence[torch.optim.Optimizer]
    train_tokens: Tensor
    val_tokens: Tensor
    device: torch.device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets (B, T) of a step; they follow from (seed, step) alone."""
        config = self.config
        draw = shuffled_starts if recipe(config).every_window_once else window_starts
        starts = draw(len(self.train_tokens), config.block_size, config.batch_size, seed=config.seed, step=step)
        return self.gather(self.train_tokens, window_index(starts, config.block_size))

    def gather(self, tokens: Tensor, index: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return inputs and targets, one token apart, of windows given by their indices (B, T + 1)."""
        windows = tokens[torch.from_numpy(index).to(self.device)]
        return windows[:, :-1], windows[:, 1:]

    @cached_property
    def forward(self) -> Any:
        """The model as it is called in training: compiled where that was asked for."""
        return torch.compile(self.model) if self.config.compile else self.model

    @torch.no_grad()
    def loss(self, tokens: Tensor, n_batches: int) -> float:
        """Return the mean loss over random windows, the same at every step so that steps can be compared."""
        config = self.config
        losses = []
        self.averaged.eval()
        for number in range(n_batches):
            starts = window_starts(
                len(tokens), config.block_size, config.batch_size, seed=config.seed, step=number, stream="evaluation"
            )
            losses.append(self.averaged(*self.gather(tokens, window_index(starts, config.block_size)))[1].item())
        self.averaged.train()
        return float(np.mean(losses))

    @torch.no_grad()
    def whole_validation_loss(self) -> float:
        """Return the mean loss over the whole validation split, cut into windows that do not overlap."""
        starts = sequential_windows(len(self.val_tokens), self.config.block_size)
        total, at_once = 0.0, 8 * self.config.batch_size
        self.averaged.eval()
        for first in range(0, len(starts), at_once):
            some = starts[first : first + at_once]
            total += self.averaged(*self.gather(self.val_tokens, window_index(some, self.config.block_size)))[
                1
            ].item() * len(some)
        self.averaged.train()
        return total / len(starts)

    @cached_property
    def foretold(self) -> tuple[int, int]:
        """How many tokens `whole_validation_loss` is the mean of, and how many characters they stand for."""
        n = len(sequential_windows(len(self.val_tokens), self.config.block_size)) * self.config.block_size
        return n, len(self.tokenizer.decode(self.val_tokens[1 : n + 1].cpu().numpy()))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return every parameter that is kept, by name; the shared token table comes once."""
        return {name: p.detach().cpu().numpy() for name, p in self.averaged.named_parameters()}


def build(config: TrainConfig, corpus: Corpus, tokenizer: Tokenizer | None = None) -> Session:
    """Build model, optimizers and data for a configuration; weights as at step 0.

    Parameters
    ----------
    config : what to train.
    corpus : the text.
    tokenizer : that of the run which goes on; made as the configuration says if None.
    """
    device = find_device(config.device)
    reuse_freed_memory()
    tokenizer = tokenizer or make_tokenizer(config, corpus)
    train, val = split_tokens(tokenizer, corpus.text, config.block_size)
    with (
        torch.random.fork_rng()
    ):  # torch draws weights of its own when layers are made; the caller's random state is not ours
        model = GPT(model_config(config, tokenizer.vocab_size))
    initialise(model, recipe(config).initialisation, config.seed)
    model.to(device)
    session = Session(
        config=config,
        tokenizer=tokenizer,
        model=model,
        averaged=copy.deepcopy(model) if recipe(config).averaging else model,
        optimizers=build_optimizers(model, recipe(config)),
        train_tokens=torch.from_numpy(train).to(device),
        val_tokens=torch.from_numpy(val).to(device),
        device=device,
    )
    choose_threads(session)
    return session


def make_tokenizer(config: TrainConfig, corpus: Corpus) -> Tokenizer:
    """Return the tokenizer that a configuration asks for.

    Characters are those of the whole text, so that each has an id; sub-words are learned from the part that the model learns from.
    """
    file = Path(config.tokenizer_file) if config.tokenizer_file else None
    if config.tokenizer == "char":
        return CharTokenizer.from_text(corpus.text)
    if config.tokenizer == "gpt2":
        return gpt2_tokenizer(file)
    return learn_bpe(
        split_text(corpus.text)[0],
        config.vocab_size or VOCAB_SIZE,
        f"byte-level BPE learned from the first 90% of {corpus.name}",
    )


def choose_threads(session: Session) -> None:
    """Set the number of CPU threads: the one asked for, or 1 or several, whichever makes the first step faster here and now."""
    most = min(MOST_THREADS, os.cpu_count() or 1)
    if session.config.threads is not None:
        torch.set_num_threads(session.config.threads)
    elif session.device.type == "cpu" and most > 1:
        with torch.random.fork_rng():

            def work() -> None:
                session.model.train()(*session.batch(0))[1].backward()
                session.model.zero_grad(set_to_none=True)

            fastest_threads(work, (1, most))


def recipe(config: TrainConfig) -> Any:
    """Return the recipe of a configuration; an `InputError` names those there are."""
    if config.recipe not in RECIPES:
        raise InputError(f"there is no recipe {config.recipe!r}; there is {', '.join(RECIPES)}")
    return RECIPES[config.recipe]


def find_device(name: str) -> torch.device:
    """Return the device of this name; ``auto`` takes cuda, mps or cpu, the first there is."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    if name.split(":")[0] not in there:
        raise InputError(f"there is no device {name!r}; there is auto, {', '.join(there)}")
    if not there[name.split(":")[0]]:
        raise InputError(f"this machine has no {name} that torch can use: pass --device cpu")
    return torch.device(name)


def describe(session: Session, corpus: Corpus) -> dict[str, Any]:
    """Return what ``run.json`` says of a training (see `data.runs`)."""
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "parameters": session.model.count_parameters(),
        "seed": session.config.seed,
        "model": asdict(session.model.config),
        "training": asdict(session.config),
        "corpus": {
            "name": corpus.name,
            "language": corpus.language,
            "characters": corpus.characters,
            "sha256": corpus.sha256,
            "validation": dict(zip(("tokens", "characters"), session.foretold, strict=True)),
        },
        "tokenizer": session.tokenizer.to_json(),
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "device": str(session.device),
        "threads": torch.get_num_threads(),
    }


def check_disk(session: Session, run: Run | Path) -> None:
    """Stop before the first step if the snapshots would not fit on the disk."""
    check_room(session.model, len(snapshot_steps(session.config)), run.path if isinstance(run, Run) else run)


def check_room(model: torch.nn.Module, n_snapshots: int, folder: Path) -> None:
    """Stop if so many snapshots of a model would not fit on the disk that holds ``folder``."""
    while not folder.exists():
        folder = folder.parent
    needed = sum(4 * p.numel() for p in model.parameters()) * (n_snapshots + 10)  # two slots of optimizer state, too
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"the snapshots of this run need about {needed / 1e6:,.0f} MB and the disk has {free / 1e6:,.0f} MB free: "
            "free some space, or take fewer with --snapshot-every"
        )
