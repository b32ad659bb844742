"""Writing a run: run.json, and snapshots with their lines in the manifest."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data.files.atomic_files import append_line, make_folder, write_bytes, write_json
from data.files.safetensors_files import stream_tensors
from data.runs.listing import check_free, runs_folder
from data.runs.run import FORMAT, TOKENIZER_FILE, Run, hash_info
from data.runs.snapshot import Snapshot


def create_run(name: str, info: Mapping[str, Any], folder: Path | None = None) -> Run:
    """Make the folder of a new run and write its ``run.json``, whose contents are ``info``.

    The ``definition`` of a tokenizer (`data.tokens.subwords`) is written to a file of its own.
    """
    path = (folder or runs_folder()) / check_free(name, folder)
    make_folder(path / "snapshots")
    tokenizer = dict(info.get("tokenizer") or {})
    if "definition" in tokenizer:  # up to megabytes, and run.json is read whenever runs are listed
        _, digest = write_bytes(path / TOKENIZER_FILE, tokenizer.pop("definition").encode())
        info = {**info, "tokenizer": {**tokenizer, "file": TOKENIZER_FILE, "sha256": digest}}
    run = Run(path)
    write_info(run, {"format": FORMAT, "name": name, **info})
    return run


def write_info(run: Run, info: Mapping[str, Any]) -> None:
    """Write ``run.json`` with its hash, in place of an earlier one."""
    format_, *others = info.items()
    write_json(run.inside("run.json"), dict([format_, ("sha256", hash_info(info)), *others]))


def write_snapshot(run: Run, step: int, tensors: Mapping[str, NDArray[Any]]) -> Snapshot:
    """Write the weights of one step and, once they are on the disk, their line in the manifest.

    A snapshot of this step that is in the manifest already is not touched: equal weights get another line, others another file.
    """
    path = run.inside("snapshots", f"{step:08d}.safetensors")
    if path.exists():
        entered = next((snapshot for snapshot in run.snapshots() if snapshot.step == step), None)
        if entered is not None and _holds(entered, tensors):
            _enter(run, entered)
            return entered
        path = _free_path(path)
    size, digest = write_bytes(path, stream_tensors(tensors))
    written = Snapshot(path, step, size, digest)
    _enter(run, written)
    return written


def _enter(run: Run, snapshot: Snapshot) -> None:
    file = f"snapshots/{snapshot.path.name}"
    record = {"step": snapshot.step, "file": file, "bytes": snapshot.bytes, "sha256": snapshot.sha256}
    append_line(run.inside("manifest.jsonl"), record)


def _holds(snapshot: Snapshot, tensors: Mapping[str, NDArray[Any]]) -> bool:
    """Check whether a snapshot is whole and holds these weights."""
    digest = hashlib.sha256()
    for piece in stream_tensors(tensors):
        digest.update(piece)
    return digest.hexdigest() == snapshot.sha256 and snapshot.defect() is None


def _free_path(path: Path) -> Path:
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(name for name in names if not name.exists())
