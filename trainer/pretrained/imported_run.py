"""Write the run of an import: whole, or not at all."""

from __future__ import annotations

import datetime
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from data.errors import InputError, list_names
from data.progress import Progress
from data.runs import Run, check_free, create_run, runs_folder, write_info, write_snapshot


@dataclass(frozen=True)
class ImportedModel:
    """One revision of a model, as it is kept in a run."""

    description: Mapping[str, Any]
    """The ``model`` of run.json."""
    n_parameters: int
    tensors: Mapping[str, NDArray[Any]]
    """The weights, by our names."""
    tables: Mapping[str, Any]
    """The names of token table and position table."""
    notes: Mapping[str, Any]
    """How the tensors of the source were used, for the ``source`` of run.json."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of libraries that are needed to build the model."""


def _existing_sources(sources: Mapping[int, Path]) -> dict[int, Path]:
    """Keep the sources that exist, in the order of the steps; warn of each other one, and refuse if none exists."""
    existing = {step: path for step, path in sorted(sources.items()) if path.exists()}
    if not existing:
        named = f" at {', '.join(map(str, sources.values()))}" if sources else ""
        raise InputError(f"there is no model{named}: give a folder with config.json and weights, or a .gguf file")
    for step in sorted(sources.keys() - existing.keys()):
        warnings.warn(f"there is no revision of step {step} at {sources[step]}: it is left out", stacklevel=3)
    return existing


def check_name_is_free(name: str, folder: Path | None = None) -> None:
    """Refuse the name of an existing run, or of a folder that is not empty, before anything is read for it."""
    path = (folder or runs_folder()) / check_free(name, folder, advice="pass another name with `name`")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} is there already and is not empty: pass another name with `name`")


def write_run(
    name: str,
    sources: Mapping[int, Path],
    read: Callable[[Path], ImportedModel],
    *,
    tokenizer: Callable[[int], Mapping[str, Any]],
    source: Mapping[str, Any] | None = None,
    remark: Callable[[Mapping[str, Any]], str] | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Write a run with a snapshot for each revision; if one cannot be read, no run is left behind.

    Parameters
    ----------
    read : reads the revision at a path; memory holds one at a time.
    tokenizer : finds the description of the tokenizer for a number of rows of the token table.
    remark : what the report says besides the table of tensors, given the description of the tokenizer.
    name, sources, source, folder, progress : see `trainer.pretrained.hf_import.import_hf_model`.
    """
    check_name_is_free(name, folder)  # a failed import removes the whole folder
    existing = _existing_sources(sources)
    first = read(next(iter(existing.values())))
    described, labels = first.description, tokenizer(first.description["vocab_size"])
    origin = {**(source or {}), "missing_steps": sorted(sources.keys() - existing.keys()), **first.notes}
    if remark is not None:
        origin["remark"] = remark(labels)
    run = create_run(name, _describe(first, labels, origin), folder)
    model: ImportedModel | None = first
    del first
    try:
        for place, (step, path) in enumerate(existing.items()):
            model = model or read(path)
            _check_same(model.description, described, step)
            _check_room(run, sum(array.nbytes for array in model.tensors.values()) * (len(existing) - place))
            write_snapshot(run, step, model.tensors)
            model = None  # frees its tensors before the next are read
            if progress is not None:
                progress(place + 1)
        _mark_copies(run)
    except BaseException:
        shutil.rmtree(run.path)
        raise
    return Run(run.path)


def _mark_copies(run: Run) -> None:
    """Warn of revisions with equal weights, and note their steps in run.json."""
    by_hash: dict[str, list[int]] = {}
    for snapshot in run.snapshots():
        by_hash.setdefault(snapshot.sha256, []).append(snapshot.step)
    copies = [steps for steps in by_hash.values() if len(steps) > 1]
    if not copies:
        return
    write_info(run, {**run.info, "source": {**run.info["source"], "identical_steps": copies}})
    n_copies = sum(len(steps) - 1 for steps in copies)
    groups = list_names((" = ".join(list_names(steps, 4).split(", ")) for steps in copies), 3)
    warnings.warn(
        f"{n_copies:,} of {len(run.snapshots()):,} revisions have the weights of an earlier one (steps {groups}): "
        "the source published copies, and the steps of these cannot all be right",
        stacklevel=3,
    )


def _describe(model: ImportedModel, tokenizer: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "parameters": model.n_parameters,
        "model": model.description,
        "tokenizer": tokenizer,
        "tensors": model.tables,
        "source": source,
        "versions": {"torch": torch.__version__, **model.versions},
    }


def _check_same(description: Mapping[str, Any], first: Mapping[str, Any], step: int) -> None:
    """Refuse a revision of another model than the first: one run has one architecture."""
    for this, that in ((description, first), (description.get("config", {}), first.get("config", {}))):
        differs = next((key for key in this if key != "config" and this[key] != that.get(key)), None)
        if differs is not None:
            raise InputError(
                f"the revision of step {step} is another model than the first: {differs} is {this[differs]!r} "
                f"and was {that.get(differs)!r}"
            )


def _check_room(run: Run, needed: int) -> None:
    """Refuse to write ``needed`` bytes to a disk that has fewer free."""
    free = shutil.disk_usage(run.path).free
    if needed > free:
        raise InputError(
            f"the snapshots of run {run.name!r} need {needed / 1e6:,.0f} MB more and the disk has {free / 1e6:,.0f} MB free: "
            "free some space, or import fewer revisions"
        )
