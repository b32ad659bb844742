"""Models made elsewhere as runs: as our GPT where it has their form, in their own class (`trainer.pretrained.hf_import`) otherwise."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data.errors import InputError, NotApplicableError
from data.runs import Run
from data.tokens.tokenizers import Tokenizer
from trainer.config import ModelConfig
from trainer.pretrained.hf_import import import_hf_model
from trainer.pretrained.mapping import TensorRow, dtype_names, map_tensors, to_numpy, warn_if_not_finite
from trainer.pretrained.readers.family import ModelFamily
from trainer.pretrained.readers.gpt1 import GPT1
from trainer.pretrained.readers.gpt2 import GPT2
from trainer.pretrained.readers.gptlab import GPTLAB
from trainer.pretrained.readers.nanogpt import NANOGPT
from trainer.pretrained.run_writer import check_name_is_free, existing_sources, write_run
from trainer.pretrained.source import ModelSource, open_source, read_settings
from trainer.pretrained.source_tokenizer import check_vocabulary_size, find_tokenizer, requested_tokenizer

FAMILIES = (GPT1, GPT2, NANOGPT, GPTLAB)
OWN_CLASS = "hf"
"""The form of a model that is kept in the class that Hugging Face's transformers has for it."""


@dataclass(frozen=True)
class ImportOptions:
    """What may be chosen about an import. What is None follows from the source."""

    tokenizer: str | None = None
    symbols_of: str | None = None
    corpus_dir: Path | None = None
    context: int | None = None
    """Show it so many tokens at most."""
    gelu: str | None = None
    keep_class: bool = False
    """Keep the model in its own class even where our GPT has its form."""


@dataclass(frozen=True)
class _Read:
    """One revision under our names."""

    config: ModelConfig
    tensors: dict[str, NDArray[Any]]
    rows: list[TensorRow]
    source: ModelSource
    dtype: str
    """The types of the numbers in the source."""


def import_revisions(
    located: Sequence[tuple[int | None, Path]],
    name: str,
    *,
    model: str,
    wishes: ImportOptions = ImportOptions(),
    folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Write a run whose snapshots are one or several revisions of a model that was made elsewhere.

    Parameters
    ----------
    located : the step of each revision, or None where the source has to say it, and where it lies. Those that are not there are left
        out with a warning.
    name : of the run.
    model : what run.json says that it was imported from.
    wishes : see there.
    folder : of the runs; the usual one if None.
    progress : called with the number of snapshots written so far.

    Returns
    -------
    The run; ``source.tensors`` of its run.json has a row for every tensor of the source: name, shape, our name, note.

    Raises
    ------
    InputError
        If a source is of no known form, cannot be read without running its code, has a tensor missing or left over, or its
        vocabulary does not fit. No run is left behind then.
    """
    check_name_is_free(name, folder)
    family = None if wishes.keep_class else _family_of(_first(located))
    sources = _by_step(located, family)
    origin = {"model": model, "revisions": {str(step): path.name for step, path in sources.items()}}
    if family is not None:
        try:
            return _import_as_ours(family, sources, name, origin, wishes, folder, progress)
        except NotApplicableError as misfit:
            if family not in (GPT1, GPT2):  # there is no class of transformers to keep it in
                raise InputError(f"{_first(located)} cannot become our GPT: {misfit}") from None
            warnings.warn(f"{model} is kept in its own class, as our GPT has not its form: {misfit}", stacklevel=2)
    return _import_in_its_class(sources, name, origin, wishes, folder, progress)


def _first(located: Sequence[tuple[int | None, Path]]) -> Path:
    """Return the first place where there is something."""
    return next((path for _, path in located if path.exists()), located[0][1])


def _family_of(path: Path) -> ModelFamily | None:
    """Return the family that a model belongs to, or None if only its own class knows it."""
    if path.suffix == ".gguf" or not path.exists():
        return None
    settings = read_settings(path) if (path / "config.json").is_file() else {}
    if "model_type" in settings:
        if not isinstance(settings["model_type"], str):
            raise InputError(
                f"the config.json in {path} gives no name as model_type; it has {settings['model_type']!r}: fetch it again"
            )
        return {"openai-gpt": GPT1, "gpt2": GPT2}.get(settings["model_type"])
    source = open_source(path)
    found = next((family for family in FAMILIES if family.is_one(source)), None)
    if found is None:
        raise InputError(
            f"{path} is of no known form: neither a model of Hugging Face (its config.json names a model_type), "
            "nor nanoGPT's (model_args beside model), nor GPTLab's (max_len in config.json)"
        )
    return found


def _by_step(located: Sequence[tuple[int | None, Path]], family: ModelFamily | None) -> dict[int, Path]:
    """Return where each step lies; where neither revision nor source tells a step it is 0."""
    by_step: dict[int, Path] = {}
    for told, path in located:
        step = told
        if step is None and family is not None and path.exists():
            step = family.step(open_source(path))
        if (step or 0) in by_step:
            raise InputError(
                f"{path} and {by_step[step or 0]} are both of step {step or 0}: name the steps with --revisions"
            )
        by_step[step or 0] = path
    return dict(sorted(by_step.items()))


def _import_as_ours(
    family: ModelFamily,
    sources: Mapping[int, Path],
    name: str,
    origin: Mapping[str, Any],
    wishes: ImportOptions,
    folder: Path | None,
    progress: Callable[[int], None] | None,
) -> Run:
    there = existing_sources(sources)
    first = _read(family, next(iter(there.values())), wishes)
    config = first.config
    tokenizer = _tokenizer(there.values(), config.vocab_size, wishes)
    info = {
        "parameters": sum(array.size for array in first.tensors.values()),
        "model": dataclasses.asdict(config),
        "tokenizer": tokenizer.to_json(),
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
        "source": {
            "format": family.name,
            **origin,
            "missing_steps": sorted(sources.keys() - there.keys()),
            "left_out": [row.source for row in first.rows if row.ours is None],
            "dtype": first.dtype,
            "remark": family.remark(tokenizer) if wishes.gelu is None else "",
            "tensors": [row.to_json() for row in first.rows],
        },
    }
    steps = list(there.items())
    begun = [(steps[0][0], first.tensors)]
    del first  # its tensors are in memory until they are written, and no longer

    def revisions() -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        yield begun.pop()
        for step, path in steps[1:]:
            read = _read(family, path, wishes)
            _check_same(read.config, config, step)
            yield step, read.tensors

    return write_run(name, info, revisions(), len(steps), folder, progress)


def _check_same(config: ModelConfig, first: ModelConfig, step: int) -> None:
    """Refuse a revision of another shape than the first: one run has one model."""
    for key, was in vars(first).items():
        if getattr(config, key) != was:
            raise InputError(
                f"the revision of step {step} is another model than the first: {key} is {getattr(config, key)!r} and was {was!r}"
            )


def _read(family: ModelFamily, path: Path, wishes: ImportOptions) -> _Read:
    source = open_source(path)
    config = _with_gelu(family.shape(source), source, wishes.gelu)
    theirs, rows = map_tensors(source, family.table, config)
    warn_if_not_finite(theirs, path)
    tensors, dtype = {name: to_numpy(tensor) for name, tensor in theirs.items()}, dtype_names(theirs.values())
    if wishes.context is not None and wishes.context != config.block_size:
        config, rows = _crop(config, tensors, rows, wishes.context)
    return _Read(config, tensors, rows, source, dtype)


def _with_gelu(config: ModelConfig, source: ModelSource, gelu: str | None) -> ModelConfig:
    """Return a shape with the form of GELU that was asked for, where the source does not tell another."""
    asked = config if gelu is None else dataclasses.replace(config, gelu=gelu)
    told = next(
        (f"{name} {source.settings[name]}" for name in ("activation_function", "afn") if name in source.settings), None
    )
    if asked != config and told is not None:
        raise InputError(f"{source.path} says that its GELU is {config.gelu} ({told}): leave --gelu out")
    return asked


def _crop(
    config: ModelConfig, tensors: dict[str, NDArray[Any]], rows: list[TensorRow], context: int
) -> tuple[ModelConfig, list[TensorRow]]:
    """Keep the first rows of the position table only, and say so."""
    if not 1 <= context <= config.block_size:
        raise InputError(f"the context must be from 1 to the model's own {config.block_size}; got {context}")
    tensors["wpe.weight"] = tensors["wpe.weight"][:context]
    note = f"its first {context:,} rows of {config.block_size:,}, as was asked for"
    cropped = [dataclasses.replace(row, note=note) if row.ours == "wpe.weight" else row for row in rows]
    return dataclasses.replace(config, block_size=context), cropped


def _import_in_its_class(
    sources: Mapping[int, Path],
    name: str,
    origin: Mapping[str, Any],
    wishes: ImportOptions,
    folder: Path | None,
    progress: Callable[[int], None] | None,
) -> Run:
    if wishes.gelu is not None:
        raise InputError("--gelu is for models that become our GPT, and this one keeps its own class")
    there = [path for path in sources.values() if path.exists()]
    return import_hf_model(
        sources,
        name,
        tokenizer=lambda rows: _tokenizer(there, rows, wishes).to_json(),
        context=wishes.context,
        folder=folder,
        source={"format": OWN_CLASS, **origin},
        progress=progress,
    )


def _tokenizer(sources: Iterable[Path], rows: int, wishes: ImportOptions) -> Tokenizer:
    """Return the tokenizer that was asked for or lies beside the weights, of the last revision or above them all, if it fits."""
    found = requested_tokenizer(wishes.tokenizer, wishes.symbols_of, rows, wishes.corpus_dir)
    if found is None:
        places = list(reversed(list(sources)))
        found = find_tokenizer([*places, *({place.parent for place in places} if len(places) > 1 else ())], rows)
    return check_vocabulary_size(found, rows)
