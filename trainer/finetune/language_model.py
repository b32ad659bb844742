"""Language-model fine-tuning: to foretell every token of documents that are packed into rows.

`start` makes a run of a base and some documents, `resume` takes one up again, and `LanguageObjective` is what is learned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from data.arrays import TokenIds
from data.documents.document_tokens import (
    END_OF_TEXT,
    DocumentTokens,
    documents_of_run,
    encode_documents,
    unknown_symbols,
)
from data.documents.packing import IGNORED, Rows, ShuffledRows, pack_rows, row_bounds, shuffle_rows
from data.documents.sources import Documents, check_source_options, read_documents
from data.errors import InputError
from data.runs import Run
from data.tokens.special_tokens import with_special_tokens
from data.tokens.tokenizers import Tokenizer
from trainer.config import described_model
from trainer.finetune.base_snapshot import Base, grow, open_base, run_name, trainable
from trainer.finetune.finetune_config import LanguageConfig, check
from trainer.finetune.tuning import Tuning, begin, go_on
from trainer.generation.sampling import generate_tokens
from trainer.loading import Model
from trainer.loop import SAMPLE_TEMPERATURE, free_name
from trainer.pretrained.hf_model import HFModel
from trainer.session import find_device

RESUMABLE = {"device", "threads", "resume_every"}
"""What may differ when a fine-tuning is resumed."""

OPENING = 8
"""Tokens of a document that a sample goes on from where documents have no prefix."""


def start(
    config: LanguageConfig, model: str | None = None, *, name: str | None = None, corpus_dir: Path | None = None
) -> Tuning:
    """Make a new run: everything but the first step.

    Parameters
    ----------
    config : what is not set in it (prefix, prompt) is set here, and so it stands in run.json.
    model : what to begin with, see `trainer.finetune.base_snapshot.open_base`.
    name : of the new run; made of those of base and documents if None.
    corpus_dir : a folder to look for a named corpus in first.

    Raises
    ------
    InputError
        If the configuration makes no sense or says what is not heeded, model or documents cannot be had, no document fits, or the name
        is taken.
    """
    device = find_device(check(config).device)
    check_source_options(config.corpus, text_column=config.text_column, language=config.language, split=config.split)
    documents = read_documents(
        config.corpus,
        text_column=config.text_column,
        language=config.language,
        split=config.split,
        corpus_dir=corpus_dir,
    )
    base = open_base(model)
    known = base.run.tokenizer
    tokenizer = with_special_tokens(known, [END_OF_TEXT])
    prefix = documents.prefix if config.prefix is None else config.prefix
    length = min(config.length, described_model(base.run).block_size)
    config = dataclasses.replace(config, prefix=prefix, length=length)
    tokens = encode_documents(
        documents,
        tokenizer,
        prefix=prefix,
        length=length,
        too_long=config.too_long,
        held_out=config.held_out,
        seed=config.seed,
    )
    gpt = trainable(base, dropout=config.dropout)
    grow(gpt, tokenizer.vocab_size, known.vocab_size, seed=config.seed)
    _check_mask(gpt, config, base)
    config = dataclasses.replace(config, prompt=_prompt(config, tokenizer, tokens))
    objective = LanguageObjective(gpt.to(device), tokenizer, tokens, config, device)
    info = {"corpus": _describe(documents, tokens), "tokenizer": tokenizer.to_json()}
    free = name or free_name(f"{base.run.name}-{run_name(documents.name)}")
    return begin(objective, config, base, info, name=free, device=device)


def resume(run: Run, config: LanguageConfig | None = None, *, corpus_dir: Path | None = None) -> Tuning:
    """Take up a fine-tuning where it stopped, with a configuration that may differ in the fields of `RESUMABLE`.

    Raises
    ------
    InputError
        If the run is no fine-tuning on documents, ``config`` differs in another field, or the documents are others by now.
    """
    before = tuned_config(run)
    config = config or before
    changed = [field for field, value in dataclasses.asdict(config).items() if getattr(before, field) != value]
    if fixed := [name for name in changed if name not in RESUMABLE]:
        raise InputError(f"a resumed run keeps its {', '.join(fixed)}: leave that out, or tune a new run")
    device = find_device(config.device)
    tokens = documents_of_run(run, corpus_dir)
    gpt = trainable(Base(run, 0), dropout=config.dropout)
    return go_on(run, LanguageObjective(gpt.to(device), run.tokenizer, tokens, config, device), config, device)


def tuned_config(run: Run) -> LanguageConfig:
    """Return the configuration that a run was fine-tuned with on documents; an `InputError` says if it was not."""
    fields = {field.name for field in dataclasses.fields(LanguageConfig)}
    described = run.info.get("training", {})
    if "base" not in run.info or not fields <= set(described):
        raise InputError(f"run {run.name!r} was not fine-tuned on documents: name one that was with --run")
    return LanguageConfig(**{name: described[name] for name in fields})


@dataclass(frozen=True)
class LanguageObjective:
    """Documents in rows, and a model that learns to go on with them; see `trainer.finetune.tuning.Objective`."""

    model: Model
    tokenizer: Tokenizer
    documents: DocumentTokens
    config: LanguageConfig
    device: torch.device

    @property
    def module(self) -> nn.Module:
        """Return all that is trained."""
        return self.model

    @property
    def steps(self) -> int:
        """Return the number of optimizer steps; the last may have fewer rows than the others."""
        return -(-self._deal.n_rows // self._rows_a_step)

    def losses(self, step: int) -> Iterator[Tensor]:
        """Yield each micro-batch's share in the mean loss of the tokens of a step, in nats per token."""
        first, size = step * self._rows_a_step, self.config.micro_batch
        last = min(first + self._rows_a_step, self._deal.n_rows)
        rows = [[self.documents.learned[i] for i in self._deal.row(number)] for number in range(first, last)]
        batches = [pack_rows(rows[start : start + size]) for start in range(0, len(rows), size)]
        n_targets = max(1, sum(self._n_targets(batch) for batch in batches))
        for batch in batches:
            yield self.total_loss(batch) / n_targets

    def total_loss(self, rows: Rows) -> Tensor:
        """Return the summed loss of all tokens of some rows that are foretold, in nats."""
        ids = torch.from_numpy(rows.ids).to(self.device)
        labels = torch.from_numpy(rows.labels(across=not self.config.mask_boundaries)).to(self.device)
        if not self.config.mask_boundaries:
            logits, _ = self.model(ids)
        else:
            mask = torch.from_numpy(rows.mask).to(self.device)[:, None]  # (B, 1, T, T)
            logits, _ = self.model(ids, mask=mask, positions=torch.from_numpy(rows.positions).to(self.device))
        return shifted_loss(logits, labels)

    def judge(self, step: int) -> dict[str, float]:
        """Return the losses over the first rows of either part, and at the end that over all that was held out."""
        n_rows = self.config.eval_rows
        measured = {
            "train_loss": self._mean_loss(self._judged_rows(self.documents.learned, n_rows)),
            "val_loss": self._mean_loss(self._judged_rows(self.documents.held_out, n_rows)),
            "tokens": self._tokens_before(step),
        }
        if step == self.steps:
            measured["val_loss_whole"] = self._mean_loss(self._judged_rows(self.documents.held_out, None))
        return measured

    def sample(self, step: int) -> Mapping[str, object]:
        """Return what the model makes of the prompt, up to the end of the text."""
        seed = self.config.seed + step
        prompt = torch.from_numpy(self.tokenizer.encode(str(self.config.prompt))).to(self.device)
        ids = generate_tokens(self.model, prompt, self.config.sample_tokens, temperature=SAMPLE_TEMPERATURE, seed=seed)
        # A padded table has rows that are no token.
        more = [token for token in ids[len(prompt) :].tolist() if token < self.tokenizer.vocab_size]
        end = self.tokenizer.special_tokens[END_OF_TEXT]
        ended = end in more
        text = self.tokenizer.decode(more[: more.index(end)] if ended else more)
        return {
            "prompt": self.config.prompt,
            "text": text,
            "ended": ended,
            "temperature": SAMPLE_TEMPERATURE,
            "seed": seed,
        }

    @property
    def _rows_a_step(self) -> int:
        return self.config.micro_batch * self.config.accumulate

    @cached_property
    def _lengths(self) -> TokenIds:
        return np.array([len(document) for document in self.documents.learned])

    @cached_property
    def _deal(self) -> ShuffledRows:
        return shuffle_rows(self._lengths, self.config.length, self.config.epochs, seed=self.config.seed)

    @cached_property
    def _tokens_of_rows(self) -> TokenIds:
        """Return how many tokens the first rows of the stream have together, (row + 1,)."""
        of_rows = [int(self._lengths[self._deal.row(number)].sum()) for number in range(self._deal.n_rows)]
        return np.cumsum([0, *of_rows])

    def _tokens_before(self, step: int) -> int:
        return int(self._tokens_of_rows[min(step * self._rows_a_step, self._deal.n_rows)])

    def _n_targets(self, rows: Rows) -> int:
        return int((rows.labels(across=not self.config.mask_boundaries)[:, 1:] != IGNORED).sum())

    def _judged_rows(self, documents: Sequence[TokenIds], most: int | None) -> Iterator[Rows]:
        """Yield the documents in their own order, in batches of rows, ``most`` rows at most."""
        bounds = row_bounds(np.array([len(document) for document in documents]), self.config.length)
        size, end = self.config.micro_batch, len(bounds) - 1 if most is None else min(most, len(bounds) - 1)
        for first in range(0, end, size):
            yield pack_rows([documents[bounds[row] : bounds[row + 1]] for row in range(first, min(first + size, end))])

    @torch.no_grad()
    def _mean_loss(self, batches: Iterator[Rows]) -> float:
        total, n_targets = 0.0, 0
        for batch in batches:
            total += self.total_loss(batch).item()
            n_targets += self._n_targets(batch)
        return total / max(1, n_targets)


def shifted_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the summed loss of what each position says of the token after it, in nats.

    Parameters
    ----------
    logits : (B, T, vocab_size).
    labels : (B, T), each at the place of its token, `data.documents.packing.IGNORED` where it does not count. They are shifted
    here: position t is
        judged by the label at t + 1.

    Examples
    --------
    >>> sure = 50 * F.one_hot(torch.tensor([[1, 2, 0]]), 3).float()
    >>> shifted_loss(sure, torch.tensor([[0, 1, 2]])).item()
    0.0
    """
    after = F.pad(labels[:, 1:], (0, 1), value=IGNORED)  # the logits are many: it is the labels that are moved
    return F.cross_entropy(logits.view(-1, logits.size(-1)), after.reshape(-1), ignore_index=IGNORED, reduction="sum")


def _prompt(config: LanguageConfig, tokenizer: Tokenizer, tokens: DocumentTokens) -> str:
    """Return what samples go on from, without symbols that the tokenizer does not know."""
    wanted = config.prompt if config.prompt is not None else str(config.prefix).strip()
    known = "".join(symbol for symbol in wanted if symbol not in unknown_symbols(tokenizer, wanted))
    if config.prompt is not None and not known:
        raise InputError(f"the model knows no symbol of the prompt {config.prompt!r}: give another with --prompt")
    return known or tokenizer.decode(tokens.held_out[0][:-1][:OPENING])


def _check_mask(model: Model, config: LanguageConfig, base: Base) -> None:
    if config.mask_boundaries and isinstance(model, HFModel) and not model.supports_mask():
        raise InputError(
            f"{type(model.model).__name__}, the class of {base.run.name!r}, cannot keep documents in a row apart: "
            "pass --no-mask-boundaries"
        )


def _describe(documents: Documents, tokens: DocumentTokens) -> dict[str, Any]:
    """Return what run.json says of the documents."""
    return {
        "name": documents.name,
        "language": documents.language,
        "characters": documents.characters,
        "sha256": documents.sha256,
        "origin": documents.origin,
        "documents": {
            "learned": len(tokens.learned),
            "held_out": len(tokens.held_out),
            "skipped": tokens.skipped,
            "empty": documents.empty + tokens.without_tokens,
            "doubled": documents.doubled,
            "dropped_symbols": dict(tokens.dropped),
        },
    }
