"""Import models of the families that become our GPT, by their mapping tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from data.tokens.tokenizers import Tokenizer
from trainer.config import ModelConfig
from trainer.pretrained.mapping import TensorRow, dtype_names, map_tensors, to_numpy, warn_if_not_finite
from trainer.pretrained.readers.family import ModelFamily
from trainer.pretrained.run_writer import RevisionTensors, existing_sources, write_run
from trainer.pretrained.source import ModelSource, open_source


@dataclass(frozen=True)
class _ConvertedModel:
    """One revision as our GPT: configuration, tensors by our names, and how each tensor of the source was used."""

    config: ModelConfig
    tensors: dict[str, NDArray[Any]]
    rows: list[TensorRow]
    dtype: str
    """The types of the numbers in the source."""


def import_as_gpt(
    family: ModelFamily,
    sources: Mapping[int, Path],
    name: str,
    *,
    tokenizer: Callable[[int], Tokenizer],
    context: int | None = None,
    gelu: str | None = None,
    folder: Path | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Write a run of our GPT whose snapshots are revisions of a model of a known family.

    Parameters
    ----------
    family : of the model.
    tokenizer : finds the tokenizer for a number of rows of the token table.
    gelu : ``tanh`` or ``exact``; that of the source if None.
    sources, name, context, folder, source, progress : see `trainer.pretrained.hf_import.import_hf_model`.

    Raises
    ------
    NotApplicableError
        If our GPT has not the form of the model.
    InputError
        If a source cannot be read, or is another model than the first. No run is left behind then.
    """
    existing = existing_sources(sources)
    (first_step, first_path), *others = existing.items()
    first = _convert(family, first_path, context, gelu)
    config, labels = first.config, tokenizer(first.config.vocab_size)
    origin = {
        **(source or {}),
        "missing_steps": sorted(sources.keys() - existing.keys()),
        "left_out": [row.source for row in first.rows if row.ours is None],
        "dtype": first.dtype,
        "remark": family.remark(labels) if gelu is None else "",
        "tensors": [row.to_json() for row in first.rows],
    }
    info = {**_describe(first, labels), "source": origin}
    waiting = [first.tensors]
    del first  # frees its tensors as soon as they are written

    def revisions() -> Iterator[RevisionTensors]:
        yield first_step, waiting.pop()
        for step, path in others:
            converted = _convert(family, path, context, gelu)
            _check_same(converted.config, config, step)
            yield step, converted.tensors

    return write_run(name, info, revisions(), n_revisions=len(existing), folder=folder, progress=progress)


def _describe(model: _ConvertedModel, tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "parameters": sum(array.size for array in model.tensors.values()),
        "model": dataclasses.asdict(model.config),
        "tokenizer": tokenizer.to_json(),
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
    }


def _check_same(config: ModelConfig, first: ModelConfig, step: int) -> None:
    """Refuse a revision of another shape than the first: one run has one model."""
    for key, was in vars(first).items():
        if getattr(config, key) != was:
            raise InputError(
                f"the revision of step {step} is another model than the first: {key} is {getattr(config, key)!r} and was {was!r}"
            )


def _convert(family: ModelFamily, path: Path, context: int | None, gelu: str | None) -> _ConvertedModel:
    source = open_source(path)
    config = _with_gelu(family.shape(source), source, gelu)
    mapped, rows = map_tensors(source, family.table, config)
    warn_if_not_finite(mapped, path)
    tensors, dtype = {name: to_numpy(tensor) for name, tensor in mapped.items()}, dtype_names(mapped.values())
    if context is not None and context != config.block_size:
        config, rows = _crop(config, tensors, rows, context)
    return _ConvertedModel(config, tensors, rows, dtype)


def _with_gelu(config: ModelConfig, source: ModelSource, gelu: str | None) -> ModelConfig:
    """Change the form of GELU in a configuration, unless the source records another."""
    changed = config if gelu is None else dataclasses.replace(config, gelu=gelu)
    names = [name for name in ("activation_function", "afn") if name in source.settings]
    if changed != config and names:
        recorded = f"{names[0]} {source.settings[names[0]]}"
        raise InputError(f"{source.path} says that its GELU is {config.gelu} ({recorded}): leave `gelu` out")
    return changed


def _crop(
    config: ModelConfig, tensors: dict[str, NDArray[Any]], rows: list[TensorRow], context: int
) -> tuple[ModelConfig, list[TensorRow]]:
    """Crop the position table to a shorter context, and note it in its row."""
    if not 1 <= context <= config.block_size:
        raise InputError(f"the context must be from 1 to the model's own {config.block_size}; got {context}")
    tensors["wpe.weight"] = tensors["wpe.weight"][:context]
    note = f"its first {context:,} rows of {config.block_size:,}, as was asked for"
    cropped = [dataclasses.replace(row, note=note) if row.ours == "wpe.weight" else row for row in rows]
    return dataclasses.replace(config, block_size=context), cropped
