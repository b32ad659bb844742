"""The base of a fine-tuning: a snapshot of a run, its model ready to be trained, and rows for new tokens."""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from data.errors import InputError
from data.runs import Run, list_runs, open_run
from trainer import fused
from trainer.loading import Model, load_model
from trainer.loop import free_name
from trainer.model import GPT, MLP, Attention
from trainer.pretrained.hf_model import HFModel
from trainer.seeds import NEW_ROWS, generator

NEW_ROWS_STD = 0.02
"""Rows for new tokens are drawn from N(0, 0.02), as GPT-1 drew all its weights (Radford et al. 2018)."""


@dataclass(frozen=True)
class Base:
    """A snapshot that a fine-tuning starts from."""

    run: Run
    step: int

    def describe(self) -> dict[str, Any]:
        """Describe the base for run.json: the run, the step and the sha256 of the snapshot."""
        described = {"run": self.run.name, "step": self.step, "sha256": self.run.snapshot(self.step).sha256}
        is_unknown = self.step == 0 and bool(self.run.step_attrs)
        return described | ({"step_known": False} if is_unknown else {})


def open_base(name: str | None) -> Base:
    """Open the base of a fine-tuning; an `InputError` says if there is no such run, step or model.

    ``name`` is that of a run (its last snapshot) or ``RUN@STEP``; the newest run if None. It may also be a model's folder or file, or its
    name on Hugging Face's hub (with a slash), which is imported as a run unless it has been before.
    """
    given, at, step = (name or "").partition("@")
    is_run = any(run.name == given for run in list_runs())
    if name and not is_run and ("/" in name or os.sep in name or Path(name).exists()):
        return _last(Run(Path(name)) if (Path(name) / "run.json").is_file() else _imported(name))
    run = open_run(given or None)
    if not at:
        return _last(run)
    if not step.isdecimal():
        raise InputError(f"{step!r} is no step: `model` takes the name of a run, or RUN@STEP as in {run.name}@5000")
    return Base(run, run.snapshot(int(step)).step)


def _last(run: Run) -> Base:
    snapshots = run.snapshots()
    if not snapshots:
        raise InputError(f"run {run.name!r} has no snapshot yet: wait for its first, or choose another with `model`")
    return Base(run, snapshots[-1].step)


def _imported(model: str) -> Run:
    """Open the run of a model that was made elsewhere; import it if there is none."""
    from trainer.pretrained.importing import import_model
    from trainer.pretrained.revisions import default_run_name

    place = str(Path(model).resolve()) if Path(model).exists() else model
    for run in list_runs():
        if run.info.get("source", {}).get("model") == place:
            return run
    return import_model(place, name=free_name(run_name(default_run_name(place))))


def run_name(text: str) -> str:
    """Turn a file's name into one that a run may have: ``my reviews (1)`` into ``my-reviews-1``."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "imported"


def trainable(base: Base, *, dropout: float | None = None) -> Model:
    """Load the model of a base in training mode; ``dropout`` replaces its share of activations set to zero, unless None."""
    model = load_model(base.run, base.step)
    if dropout is not None:
        if not isinstance(model, GPT):
            raise InputError(f"the dropout of {base.run.name!r} is that of its own class: leave `dropout` out")
        model.config = dataclasses.replace(model.config, dropout=dropout)
        for module in model.modules():
            if isinstance(module, (Attention, MLP)):
                module.dropout = dropout
    if isinstance(model, GPT):
        fused.attach(model)
    return model.requires_grad_(True).train()


def grow(model: Model, vocab_size: int, first_new: int, *, seed: int) -> None:
    """Add rows for new tokens to a model's token table, and to its output head where that is separate.

    Rows from ``first_new`` to ``vocab_size`` are drawn from N(0, 0.02); a model that has more rows keeps them.
    """
    rows = max(vocab_size, model.config.vocab_size)
    if rows > model.config.vocab_size:
        if isinstance(model, HFModel):
            model.model.resize_token_embeddings(rows, mean_resizing=False)
        else:
            table = nn.Embedding(rows, model.config.n_embd, _weight=torch.zeros(rows, model.config.n_embd))
            with torch.no_grad():
                table.weight[: model.config.vocab_size] = model.wte.weight
            model.wte = table
        model.config = dataclasses.replace(model.config, vocab_size=rows)
    draws = generator(seed, NEW_ROWS)
    with torch.no_grad():
        for table_of_tokens in token_tables(model):
            new = table_of_tokens[first_new:vocab_size]
            new.copy_(NEW_ROWS_STD * torch.randn(new.shape, generator=draws))


def token_tables(model: Model) -> list[torch.Tensor]:
    """List the tables with one row per token: the token table, and the output head where it is separate."""
    if isinstance(model, GPT):
        return [model.wte.weight]
    table, head = model.model.get_input_embeddings().weight, model.model.get_output_embeddings().weight
    return [table] if head is table else [table, head]


def describe_model(base: Base, model: Model) -> dict[str, Any]:
    """Describe a fine-tuned model for run.json: as its base, with the current vocabulary size and dropout."""
    described = {**base.run.info["model"], "vocab_size": model.config.vocab_size}
    if isinstance(model, HFModel):
        described["config"] = {**described["config"], "vocab_size": model.config.vocab_size}
    else:
        described["dropout"] = model.config.dropout
    return described


def weights_of(model: Model) -> dict[str, Any]:
    """Collect the tensors of a snapshot of a model by name; tied tensors once."""
    tensors = model.weights() if isinstance(model, HFModel) else dict(model.named_parameters())
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
