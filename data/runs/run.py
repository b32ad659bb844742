"""A run on disk, format 1: what a training writes and everything else reads. No torch is needed, and no pickle is used.

::

    runs/<name>/
      run.json          one JSON object; see below
      tokenizer.json    of a run of sub-words: the tokenizer as Hugging Face's `tokenizers` reads it
      manifest.jsonl    a line per snapshot: {"step", "file", "bytes", "sha256"}
      metrics.jsonl     a line per evaluation: {"step", "train_loss", "val_loss", "lr", "tokens", "seconds"}
      samples.jsonl     a line per sample: {"step", "prompt", "text", "temperature", "seed"}
      snapshots/00001000.safetensors
      resume/           manifest.jsonl and two slots, a.safetensors and b.safetensors, written in turn
      traces/           what decoding weighed up at every token, see `data.runs.traces`
      films/ figures/ projections/    what was made from the run, each film and figure with a .json beside it saying how

``run.json`` holds ``format`` (1), ``name``, ``created`` (UTC, ISO 8601), ``parameters`` (count), ``model`` and ``training``
(the configuration), ``corpus`` (``name``, ``language``, ``sha256``, ``characters``), ``tokenizer`` (``kind`` and what
`data.tokens.tokenizers`
says of it; of sub-words ``file`` and its ``sha256``; ``special_tokens``, where there are some, name those after the vocabulary),
``tensors`` (the names of ``token_table`` and ``position_table`` in a snapshot, null where there is none, and ``position_offset``,
rows of the latter before that of the first position), ``versions`` and ``seed``. Word vectors that were read as a run have no
``model``, ``training`` or ``corpus``. A model of Hugging Face has ``kind`` ``"hf"``, ``architecture`` and ``config`` in ``model``
beside the shape, and names its origin in ``source``; its tensors have the names of its own state dict. A reader ignores keys it
does not know. A run that was fine-tuned names in ``base`` what it began with (``run``, ``step`` and the ``sha256`` of that snapshot, which
is its own of step 0, but for rows of new tokens), and in ``corpus.documents`` how many documents were learned, held out and left out.
A run fine-tuned on a task says in ``task`` which (``name``, ``kind``, ``labels``, ``origin``); its snapshots also hold the
head, as ``task_head.weight`` and ``task_head.bias``, and ``report.json`` says how well it does (see `trainer.supervised.task_report`).

A line of a ``.jsonl`` file counts once its newline is there, so a reader may look while a trainer writes. A snapshot is
written under a hidden name, flushed to the disk, renamed, and only then entered in the manifest: what the manifest names is
complete, and the hash tells if it has been damaged since. Losses are in nats per token; ``seconds`` is the time spent
training, resumed parts included. The last line of the metrics also has ``val_loss_whole``, the loss on the whole validation
split; the others measure the same sample of it each time. ``val_bits_per_character`` is that loss spread over characters
(`data.tokens.bits`); ``corpus.validation`` of ``run.json`` says how many ``tokens`` and ``characters`` it is taken over.

Where the recipe averages weights, a snapshot holds the running average: what was evaluated at its step. Tied weights are
stored once. Names are those of the model's parameters (``wte.weight``, ``h.0.attn.c_attn.weight``, ...).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data.errors import InputError
from data.notices import notify
from data.runs.atomic_files import Record, append_line, read_lines, write_bytes, write_json
from data.runs.card import run_card
from data.runs.names import check_free, check_run_name, runs_folder
from data.runs.safetensors_files import stream_tensors
from data.runs.snapshot import Snapshot, Tensors
from data.tokens.tokenizers import Tokenizer, tokenizer_from_json

FORMAT = 1
TOKENIZER_FILE = "tokenizer.json"


@dataclass(frozen=True)
class Run:
    """A run on disk. Nothing is read before it is asked for; `manifest`, `metrics` and `samples` are read afresh each time."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def info(self) -> Record:
        """The contents of ``run.json``."""
        try:
            info: Record = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"run {self.name!r} cannot be read: its run.json is missing or damaged ({error})"
            ) from None
        if info.get("format") != FORMAT:
            raise InputError(f"run {self.name!r} has format {info.get('format')!r}; this version reads format {FORMAT}")
        return info

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that ``run.json`` describes, with what stands in a file of its own.

        Raises
        ------
        InputError
            If the file is missing or is not the one that the run was made with.
        """
        description = self.info["tokenizer"]
        if "file" not in description:
            return tokenizer_from_json(description)
        path = self.path / Path(description["file"]).name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"run {self.name!r} has lost its {path.name} ({error.strerror}): put it back, or train the run again"
            ) from None
        if hashlib.sha256(content).hexdigest() != description["sha256"]:
            raise InputError(f"{path.name} of run {self.name!r} is damaged (its sha256 is not the one in run.json)")
        return _tokenizer_in_a_file(json.dumps(description), content.decode())

    def manifest(self) -> list[Record]:
        """Return the lines of the manifest, one a step, in the order of the steps."""
        by_step = {record["step"]: record for record in read_lines(self.path / "manifest.jsonl")}
        return [by_step[step] for step in sorted(by_step)]

    def metrics(self) -> list[Record]:
        return read_lines(self.path / "metrics.jsonl")

    def samples(self) -> list[Record]:
        return read_lines(self.path / "samples.jsonl")

    def snapshots(self) -> list[Snapshot]:
        """Return every snapshot that the manifest names, in the order of the steps, without looking at the files."""
        return [
            Snapshot(
                self.path / "snapshots" / Path(record["file"]).name, record["step"], record["bytes"], record["sha256"]
            )
            for record in self.manifest()
        ]

    def sound_snapshots(self) -> list[Snapshot]:
        """Return the snapshots whose files are whole; warn of each other one by its step.

        Raises
        ------
        InputError
            If none is left.
        """
        sound = []
        for snapshot in self.snapshots():
            defect = snapshot.defect()
            if defect is None:
                sound.append(snapshot)
            else:
                self._leave_out(snapshot, defect)
        if not sound:
            raise self._without_snapshots()
        return sound

    def sound_tensors(self, names: Collection[str] | None = None) -> Iterator[tuple[Snapshot, Tensors]]:
        """Yield every whole snapshot with its tensors: each file is opened once, and one is in memory at a time.

        The hash is checked on the bytes that the tensors are decoded from.

        Parameters
        ----------
        names : of the tensors to yield; all if None.

        Raises
        ------
        InputError
            If a snapshot has no tensor of a name, or no snapshot is whole.

        Warns
        -----
        UserWarning
            For each snapshot that is missing or damaged; it is left out.
        """
        n_sound = 0
        for snapshot in self.snapshots():
            found = snapshot.read_checked(names)
            if isinstance(found, str):
                self._leave_out(snapshot, found)
                continue
            n_sound += 1
            yield snapshot, found
            del found  # before the next file is read
        if not n_sound:
            raise self._without_snapshots()

    def _leave_out(self, snapshot: Snapshot, defect: str) -> None:
        notify(f"snapshot of step {snapshot.step} of run {self.name!r} {defect}: it is left out", stacklevel=3)

    def _without_snapshots(self) -> InputError:
        return InputError(f"run {self.name!r} has no whole snapshot: train it again, or choose another with `run`")

    def _repr_html_(self) -> str:
        return run_card(self.name, self.info, self.metrics(), [record["step"] for record in self.manifest()])

    def snapshot(self, step: int) -> Snapshot:
        """Return the snapshot of one step; an `InputError` names the steps there are."""
        snapshots = {snapshot.step: snapshot for snapshot in self.snapshots()}
        if step not in snapshots:
            raise InputError(f"run {self.name!r} has no snapshot of step {step}; it has {_some(snapshots)}")
        return snapshots[step]


def list_runs(folder: Path | None = None) -> list[Run]:
    """Return the runs in a folder, oldest first; folders whose run.json cannot be read are passed over."""
    found = []
    for path in (folder or runs_folder()).glob("*/run.json"):
        run = Run(path.parent)
        try:
            found.append((run.info.get("created", ""), run.name, run))
        except InputError:
            continue
    return [run for _, _, run in sorted(found, key=lambda entry: entry[:2])]


def open_run(name: str | None = None, folder: Path | None = None) -> Run:
    """Open a run by name, or the newest.

    Raises
    ------
    InputError
        If there is no run yet, or none of this name (those there are are listed), or the name is not a plain folder name.
    """
    folder = folder or runs_folder()
    runs = {run.name: run for run in list_runs(folder)}
    if name is not None and check_run_name(name) in runs:
        return runs[name]
    if name is not None and (folder / name).is_dir():
        return _readable(Run(folder / name))
    if not runs:
        raise InputError(f"there is no run in {folder}{os.sep} yet: train one with  python -m trainer --preset cpu")
    if name is None:
        return list(runs.values())[-1]
    raise InputError(f"there is no run {name!r} in {folder}{os.sep}; there is {_some(runs)}")


def create_run(name: str, info: Mapping[str, Any], folder: Path | None = None) -> Run:
    """Make the folder of a new run and write its ``run.json``.

    Parameters
    ----------
    name : of the run.
    info : what run.json is to say. The ``definition`` of a tokenizer (`data.tokens.subwords`) gets a file of its own.
    folder : of the runs; the usual one if None.

    Raises
    ------
    InputError
        If a run of this name exists.
    """
    path = (folder or runs_folder()) / check_free(name, folder)
    (path / "snapshots").mkdir(parents=True, exist_ok=True)
    tokenizer = dict(info.get("tokenizer") or {})
    if "definition" in tokenizer:  # it may be megabytes long, and run.json is read by eye and whenever runs are listed
        _, digest = write_bytes(path / TOKENIZER_FILE, tokenizer.pop("definition").encode())
        info = {**info, "tokenizer": {**tokenizer, "file": TOKENIZER_FILE, "sha256": digest}}
    write_json(path / "run.json", {"format": FORMAT, "name": name, **info})
    return Run(path)


@lru_cache(maxsize=4)  # large ones take a second to read, and runs are opened again and again
def _tokenizer_in_a_file(description: str, definition: str) -> Tokenizer:
    return tokenizer_from_json({**json.loads(description), "definition": definition})


def write_snapshot(run: Run, step: int, tensors: Mapping[str, NDArray[Any]]) -> Snapshot:
    """Write the weights of one step and, once they are safely on the disk, their line in the manifest."""
    path = run.path / "snapshots" / f"{step:08d}.safetensors"
    size, digest = write_bytes(path, stream_tensors(tensors))
    append_line(
        run.path / "manifest.jsonl", {"step": step, "file": f"snapshots/{path.name}", "bytes": size, "sha256": digest}
    )
    return Snapshot(path, step, size, digest)


def rewind(run: Run, step: int) -> None:
    """Forget what a run recorded after ``step``, so that a training resumed there writes each line once."""
    for name in ("manifest.jsonl", "metrics.jsonl", "samples.jsonl"):
        path = run.path / name
        kept = [record for record in read_lines(path) if record["step"] <= step]
        write_bytes(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in kept).encode())


def _readable(run: Run) -> Run:
    run.info  # noqa: B018  raises if it cannot be read
    return run


def _some(names: Any, most: int = 8) -> str:
    names = [str(name) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
