"""Language-model fine-tuning: predicting the next token of documents that are packed into rows.

`start` makes a run from a base and some documents, `resume_language` resumes one, and `LanguageObjective` is what is learned.
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
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from data.arrays import TokenIds
from data.documents.document_tokens import DocumentTokens, documents_of_run, encode_documents
from data.documents.packing import IGNORED, Rows, ShuffledRows, pack_rows, row_bounds, shuffle_rows
from data.documents.sources import Documents, check_source_options, read_documents
from data.errors import InputError
from data.progress import Progress
from data.runs import Run, open_run
from data.tokens.special_tokens import with_special_tokens
from data.tokens.tokenizers import Tokenizer, unknown_symbols
from data.tokens.vocabularies import END_OF_TEXT
from trainer.config import described_model, replace
from trainer.finetune.base_snapshot import Base, grow, open_base, run_name, trainable, weights_of
from trainer.finetune.finetune_config import RESUMABLE, LanguageConfig, check
from trainer.finetune.tuning import resume_tuning, start_tuning, tuning_procedure
from trainer.generation.sampling import generate_tokens
from trainer.loading import Model
from trainer.loop import SAMPLE_TEMPERATURE, Procedure, Training, check_resumable, free_name
from trainer.machine import find_device, on_device
from trainer.parallel.torchrun import check_alone
from trainer.pretrained.hf_model import HFModel

OPENING = 8
"""Tokens of a document that a sample continues where documents have no prefix."""


def fine_tune(
    *,
    model: str | None = None,
    run: str | None = None,
    resume: bool = False,
    corpus_dir: Path | None = None,
    progress: Progress | None = None,
    **fields: Any,
) -> Run:
    """Fine-tune a language model on documents and write a run, as ``python -m trainer.finetune`` does.

    Parameters
    ----------
    model : the base, see `trainer.finetune.base_snapshot.open_base`; the newest run if not given.
    run : the name of the new run, made from model and corpus if not given; or of the run to resume.
    resume : continue a fine-tuning that was stopped.
    corpus_dir : a folder where corpora are looked for first.
    progress : called after every step; shows a bar on standard error if not given.
    **fields : fields of `trainer.finetune.finetune_config.LanguageConfig`, such as ``corpus`` and ``epochs``.

    Returns
    -------
    The run.

    Raises
    ------
    InputError
        If the configuration, the model or the documents cannot be used; the message names the field.
    Stopped
        After Ctrl-C. ``fine_tune(run=..., resume=True)`` continues.
    """
    before = open_run(run) if resume else None
    config = replace(tuned_config(before) if before else LanguageConfig(), fields, where="fine_tune")
    tuning = open_tuning(config, model=model, run=run, resume=resume, corpus_dir=corpus_dir)
    tuning.go(progress)
    return tuning.run


def open_tuning(
    config: LanguageConfig, *, model: str | None, run: str | None, resume: bool, corpus_dir: Path | None
) -> Training[LanguageObjective]:
    """Start a fine-tuning, or resume one; see `fine_tune`."""
    check_alone("fine-tuning")
    if not resume:
        return start(config, model, name=run, corpus_dir=corpus_dir)
    if model is not None:
        raise InputError(f"a resumed run continues from its own weights, not from {model}: leave `model` out")
    return resume_language(open_run(run), config, corpus_dir=corpus_dir)


def start(
    config: LanguageConfig, model: str | None = None, *, name: str | None = None, corpus_dir: Path | None = None
) -> Training[LanguageObjective]:
    """Make a new run: everything but the first step. Parameters and errors as in `fine_tune`.

    A prefix or prompt that is None in ``config`` is determined here, and recorded in run.json.
    """
    device = find_device(check(config).device)
    source: dict[str, Any] = {"text_column": config.text_column, "language": config.language, "split": config.split}
    check_source_options(config.corpus, **source)
    documents = read_documents(config.corpus, **source, corpus_dir=corpus_dir)
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
    if config.mask_boundaries and isinstance(gpt, HFModel) and not gpt.supports_mask():
        unmasked = f"{type(gpt.model).__name__}, the class of {base.run.name!r}, cannot keep documents in a row apart"
        raise InputError(f"{unmasked}: pass `mask_boundaries=False`")
    config = dataclasses.replace(config, prompt=_prompt(config, tokenizer, tokens))
    objective = LanguageObjective(gpt.to(device), tokenizer, tokens, config, device)
    info = {"corpus": _describe(documents, tokens), "tokenizer": tokenizer.to_json()}
    free = name or free_name(f"{base.run.name}-{run_name(documents.name)}")
    return start_tuning(objective, config, base, info, name=free)


def resume_language(
    run: Run, config: LanguageConfig | None = None, *, corpus_dir: Path | None = None
) -> Training[LanguageObjective]:
    """Resume a fine-tuning where it stopped, with a configuration that may differ in the fields of `RESUMABLE`."""
    before = tuned_config(run)
    config = config or before
    check_resumable(before, config, RESUMABLE, verb="tune")
    device = find_device(check(config).device)
    tokens = documents_of_run(run, corpus_dir)
    gpt = trainable(Base(run, 0), dropout=config.dropout)
    return resume_tuning(run, LanguageObjective(gpt.to(device), run.tokenizer, tokens, config, device), config)


def tuned_config(run: Run) -> LanguageConfig:
    """Read the configuration that a run was fine-tuned with on documents; an `InputError` says if it was not."""
    fields = {field.name for field in dataclasses.fields(LanguageConfig)}
    described = run.info.get("training", {})
    if "base" not in run.info or not {"prefix", "length"} <= set(described):
        raise InputError(f"run {run.name!r} was not fine-tuned on documents: name one that was with `run`")
    # A run of an earlier version lacks the fields that are new.
    return replace(LanguageConfig(), {name: described[name] for name in fields & set(described)}, where=run.name)


@dataclass(frozen=True)
class LanguageObjective:
    """Predicting the next token of documents packed into rows (see `trainer.loop.Objective`)."""

    model: Model
    tokenizer: Tokenizer
    documents: DocumentTokens
    config: LanguageConfig
    device: torch.device

    @property
    def module(self) -> nn.Module:
        return self.model

    @property
    def steps(self) -> int:
        """The number of optimizer steps; the last may have fewer rows than the others."""
        return -(-self._deal.n_rows // self._rows_a_step)

    @cached_property
    def procedure(self) -> Procedure:
        return tuning_procedure(self.model, self.config, self.steps, self.device)

    def weights(self) -> dict[str, NDArray[Any]]:
        return weights_of(self.model)

    def losses(self, step: int) -> Iterator[Tensor]:
        """Yield the share of each micro-batch in the mean loss of a step, in nats per token."""
        first, size = step * self._rows_a_step, self.config.micro_batch
        last = min(first + self._rows_a_step, self._deal.n_rows)
        rows = [[self.documents.learned[i] for i in self._deal.row(number)] for number in range(first, last)]
        batches = [pack_rows(rows[start : start + size]) for start in range(0, len(rows), size)]
        n_targets = max(1, sum(self._n_targets(batch) for batch in batches))
        for batch in batches:
            yield self.total_loss(batch) / n_targets

    def total_loss(self, rows: Rows) -> Tensor:
        """Compute the summed loss of all predicted tokens of some rows, in nats."""
        ids = on_device(rows.ids, self.device)
        labels = on_device(rows.labels(across=not self.config.mask_boundaries), self.device)
        if not self.config.mask_boundaries:
            logits, _ = self.model(ids)
        else:
            mask = on_device(rows.mask, self.device)[:, None]  # (B, 1, T, T)
            logits, _ = self.model(ids, mask=mask, positions=on_device(rows.positions, self.device))
        return shifted_loss(logits, labels)

    def evaluate(self, step: int) -> dict[str, float]:
        """Measure the losses on the first rows of either split, and at the last step on all held-out documents."""
        n_rows = self.config.eval_rows
        measured = {
            "train_loss": self._mean_loss(self.documents.learned, n_rows),
            "val_loss": self._mean_loss(self.documents.held_out, n_rows),
            "tokens": int(self._tokens_of_rows[min(step * self._rows_a_step, self._deal.n_rows)]),
        }
        if step == self.steps:
            measured["val_loss_whole"] = self._mean_loss(self.documents.held_out, None)
        return measured

    def sample(self, step: int) -> Mapping[str, object]:
        """Generate a continuation of the prompt, up to the end of the text."""
        config, seed = self.config, self.config.seed + step
        prompt = torch.from_numpy(self.tokenizer.encode(str(config.prompt))).to(self.device)
        ids = generate_tokens(self.model, prompt, config.sample_tokens, temperature=SAMPLE_TEMPERATURE, seed=seed)
        # A padded table has rows that belong to no token.
        more = [token for token in ids[len(prompt) :].tolist() if token < self.tokenizer.vocab_size]
        end = self.tokenizer.special_tokens[END_OF_TEXT]
        ended = end in more
        text = self.tokenizer.decode(more[: more.index(end)] if ended else more)
        return {"prompt": config.prompt, "text": text, "ended": ended, "temperature": SAMPLE_TEMPERATURE, "seed": seed}

    @property
    def _rows_a_step(self) -> int:
        return self.config.micro_batch * self.config.accumulate

    @cached_property
    def _lengths(self) -> TokenIds:
        return np.array(list(map(len, self.documents.learned)))

    @cached_property
    def _deal(self) -> ShuffledRows:
        return shuffle_rows(self._lengths, self.config.length, self.config.epochs, seed=self.config.seed)

    @cached_property
    def _tokens_of_rows(self) -> TokenIds:
        """The cumulative number of tokens of the rows of the stream, (row + 1,)."""
        of_rows = [int(self._lengths[self._deal.row(number)].sum()) for number in range(self._deal.n_rows)]
        return np.cumsum([0, *of_rows])

    def _n_targets(self, rows: Rows) -> int:
        return int((rows.labels(across=not self.config.mask_boundaries)[:, 1:] != IGNORED).sum())

    @torch.no_grad()
    def _mean_loss(self, documents: Sequence[TokenIds], most: int | None) -> float:
        """Measure the mean loss over the first ``most`` rows of documents in their own order; over all if None."""
        total, n_targets = 0.0, 0
        bounds = row_bounds(np.array([len(document) for document in documents]), self.config.length)
        size, end = self.config.micro_batch, len(bounds) - 1 if most is None else min(most, len(bounds) - 1)
        for first in range(0, end, size):
            rows = range(first, min(first + size, end))
            batch = pack_rows([documents[bounds[row] : bounds[row + 1]] for row in rows])
            total += self.total_loss(batch).item()
            n_targets += self._n_targets(batch)
        return total / max(1, n_targets)


def shifted_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the summed next-token loss, in nats, of logits (B, T, vocab_size).

    The labels (B, T) are aligned with the tokens, and `data.documents.packing.IGNORED` where a token does not count. They are shifted
    here: the prediction of position t is compared with the label at t + 1.

    Examples
    --------
    >>> certain = 50 * F.one_hot(torch.tensor([[1, 2, 0]]), 3).float()
    >>> shifted_loss(certain, torch.tensor([[0, 1, 2]])).item()
    0.0
    """
    following = F.pad(labels[:, 1:], (0, 1), value=IGNORED).flatten()  # shifting the logits would copy far more
    return F.cross_entropy(logits.flatten(0, 1), following, ignore_index=IGNORED, reduction="sum")


def _prompt(config: LanguageConfig, tokenizer: Tokenizer, tokens: DocumentTokens) -> str:
    """Determine the prompt of the samples, without symbols that the tokenizer does not know."""
    text = config.prompt if config.prompt is not None else str(config.prefix).strip()
    known = "".join(symbol for symbol in text if symbol not in unknown_symbols(tokenizer, text))
    if config.prompt is not None and not known:
        raise InputError(f"the model knows no symbol of the prompt {config.prompt!r}: give another with `prompt`")
    return known or tokenizer.decode(tokens.held_out[0][:-1][:OPENING])


def _describe(documents: Documents, tokens: DocumentTokens) -> dict[str, Any]:
    """Describe the documents for run.json."""
    counts = {
        "learned": len(tokens.learned),
        "held_out": len(tokens.held_out),
        "skipped": tokens.skipped,
        "empty": documents.empty + tokens.without_tokens,
        "doubled": documents.doubled,
        "dropped_symbols": dict(tokens.dropped),
    }
    described = {name: getattr(documents, name) for name in ("name", "language", "characters", "sha256", "origin")}
    return described | {"reading": documents.reading, "documents": counts}
