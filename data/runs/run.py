"""A run on disk, format 1, which training writes and everything else reads. It needs no torch and holds no pickle.

::

    runs/<name>/
      run.json          one JSON object; see below
      tokenizer.json    for sub-words: the tokenizer as Hugging Face's `tokenizers` reads it
      manifest.jsonl    one line per snapshot: {"step", "file", "bytes", "sha256"}
      metrics.jsonl     one line per evaluation: {"step", "train_loss", "val_loss", "lr", "grad_norm", "tokens", "seconds"}
      samples.jsonl     one line per sample: {"step", "prompt", "text", "temperature", "seed"}
      snapshots/00001000.safetensors
      resume/           manifest.jsonl and two slots, a.safetensors and b.safetensors, written in turn
      label.json        the name and colour under which the dashboard shows it, see `data.runs.labels`
      traces/           the candidates that decoding considered for every token, see `data.runs.traces`
      films/ figures/ projections/    made from the run; a .json file beside each film and figure records how

**run.json.** One JSON object. Readers ignore keys that they do not know.

==============  ====================================================================================================
format          1
name, created   name of the run; time in UTC, ISO 8601
parameters      number of parameters
model           configuration of the model. One of Hugging Face has ``kind`` ``"hf"``, ``architecture`` and ``config`` too
training        configuration of the training
corpus          ``name``, ``language``, ``sha256``, ``characters``; in ``validation`` the ``tokens`` and ``characters`` of the validation
                split; in ``documents`` the numbers of documents learned, held out and left out, in ``reading`` what was read as documents
tokenizer       ``kind`` and its description (`data.tokens.tokenizers`). Sub-words have ``file`` and its ``sha256``; ``special_tokens``
                lists the names of tokens after the vocabulary
tensors         names of ``token_table`` and ``position_table`` in a snapshot, null if the model has none; ``position_offset`` is the
                number of rows before that of the first position
versions, seed  of the packages; of the training
base            of a fine-tuned run: ``run``, ``step`` and ``sha256`` of the snapshot it started from; ``step_known`` as in ``source``. Its
                own snapshot of step 0 has the same weights, plus rows for new tokens
task            of a run fine-tuned on a task: ``name``, ``kind``, ``labels``, ``origin``. Its snapshots hold the head as
                ``task_head.weight`` and ``task_head.bias``; ``report.json`` holds its scores (`trainer.supervised.task_report`)
source          origin of an imported model. Tensors of a model of Hugging Face have the names of its own state dict. ``step_known`` is
                false where the weights kept as step 0 are of a step that nobody recorded (`data.runs.names`)
                ``identical_steps`` lists groups of steps with equal weights, if there are any
==============  ====================================================================================================

Word vectors that were read as a run have no ``model``, ``training`` or ``corpus``.

**Complete lines, complete files.** A line of a ``.jsonl`` file counts once its newline is written, so a run can be read during
training. A snapshot is written under a hidden name, flushed to the disk, renamed, and only then entered in the manifest. A snapshot
in the manifest is therefore complete, and its hash detects later damage.

**Metrics.** Losses are in nats per token, measured on the same sample of the validation split each time. The last line adds
``val_loss_whole``, the loss on the whole validation split, and ``val_bits_per_character``, the same per character (`data.tokens.bits`).
``lr`` and ``grad_norm``, the norm of the gradient before clipping, are those of the step that led here; ``tokens`` counts those learned
so far; ``seconds`` is the time spent training, including resumed parts.

**Snapshots.** Names are those of the model's parameters (``wte.weight``, ``h.0.attn.c_attn.weight``, ...). Tied weights are stored once.
If the recipe averages weights, a snapshot holds the running average, which is what was evaluated at its step.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data.errors import InputError, list_names
from data.language import say
from data.notices import notify
from data.runs.atomic_files import Record, append_line, read_lines, write_bytes, write_json
from data.runs.card import run_card
from data.runs.names import step_label, unknown_step
from data.runs.safetensors_files import stream_tensors
from data.runs.snapshot import Snapshot, Tensors
from data.tokens.tokenizers import Tokenizer, tokenizer_from_json

FORMAT = 1
TOKENIZER_FILE = "tokenizer.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Run:
    """A run on disk, read lazily. `manifest`, `metrics` and `samples` read their file again at each call."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def info(self) -> Record:
        """The contents of ``run.json``."""
        try:
            info: Record = json.loads((self.path / "run.json").read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"run {self.name!r} cannot be read: its run.json is missing or damaged ({error})"
            ) from None
        if info.get("format") != FORMAT:
            raise InputError(f"run {self.name!r} has format {info.get('format')!r}; this version reads format {FORMAT}")
        return info

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that ``run.json`` describes."""
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

    @property
    def step_attrs(self) -> dict[str, str]:
        """The attributes of the coordinate ``step`` of an array: ``unknown`` names the snapshot of step 0 if its step is not known."""
        return {"unknown": unknown} if (unknown := unknown_step(self.info)) else {}

    def at_step(self, step: int) -> str:
        """Name a snapshot after the name of the run: ``at step 1,000``."""
        unknown = unknown_step(self.info)
        return f"({say(unknown)})" if unknown and step == 0 else say("at step {step:,}", step=step)

    def over_steps(self, steps: Sequence[int]) -> str:
        """Name the snapshots of these steps: ``at 5 snapshots from step 0 to step 400``."""
        unknown = unknown_step(self.info)
        if unknown and len(steps) == 1:
            return say("at {unknown}", unknown=say(unknown))
        ends = {"first": step_label(steps[0], unknown), "last": step_label(steps[-1], unknown)}
        return say("at {n} snapshots from {first} to {last}", n=len(steps), **ends)

    def manifest(self) -> list[Record]:
        """Read the manifest: one record per step, in the order of the steps; of a step entered twice the last."""
        by_step = {record["step"]: record for record in read_lines(self.path / "manifest.jsonl")}
        return [by_step[step] for step in sorted(by_step)]

    def metrics(self) -> list[Record]:
        return read_lines(self.path / "metrics.jsonl")

    def samples(self) -> list[Record]:
        return read_lines(self.path / "samples.jsonl")

    def snapshots(self) -> list[Snapshot]:
        """List every snapshot in the manifest, in the order of the steps, without opening the files."""
        folder = self.path / "snapshots"
        return [
            Snapshot(folder / Path(record["file"]).name, record["step"], record["bytes"], record["sha256"])
            for record in self.manifest()
        ]

    def sound_snapshots(self) -> list[Snapshot]:
        """List the snapshots whose files are whole, after checking the hash of each.

        Raises
        ------
        InputError
            If no snapshot is whole.

        Warns
        -----
        UserWarning
            For each snapshot that is missing or damaged; it is left out.
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

        The hash is checked on the bytes that the tensors are decoded from. ``names`` are those of the tensors to yield, all if None.
        Warnings and errors are those of `sound_snapshots`; a name that a snapshot lacks is an error too.
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
        """Find the snapshot of one step."""
        snapshots = {snapshot.step: snapshot for snapshot in self.snapshots()}
        if step not in snapshots:
            raise InputError(f"run {self.name!r} has no snapshot of step {step}; it has {list_names(snapshots)}")
        return snapshots[step]


def runs_folder() -> Path:
    """Locate the folder of the runs: ``$GPTLAB_RUNS``, or ``runs`` in the current folder."""
    return Path(os.environ.get("GPTLAB_RUNS") or "runs")


def check_run_name(name: str) -> str:
    """Check that a name can be that of a run, and return it.

    It consists of letters, digits, ``.``, ``_`` and ``-``, and starts with none of ``.`` and ``-``.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a run: use letters, digits, '.', '_' and '-', and start with a letter or digit"
        )
    return name


def check_free(
    name: str,
    folder: Path | None = None,
    *,
    advice: str = "pass `resume=True` to resume it, or another name with `run`",
) -> str:
    """Check that a new run can have this name, and return it; ``advice`` is what the message recommends if it is taken."""
    if ((folder or runs_folder()) / check_run_name(name) / "run.json").exists():
        raise InputError(f"run {name!r} exists already: {advice}")
    return name


def list_runs(folder: Path | None = None) -> list[Run]:
    """List the runs in a folder (`runs_folder` if None), oldest first, without those whose run.json cannot be read."""
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

    Parameters
    ----------
    name : of the run; the newest if None.
    folder : of the runs; `runs_folder` if None.

    Raises
    ------
    InputError
        If there is no run yet, none of this name (the message lists the others), or the name is not a plain folder name.
    """
    folder = folder or runs_folder()
    runs = {run.name: run for run in list_runs(folder)}
    if name is not None and check_run_name(name) in runs:
        return runs[name]
    if name is not None and (folder / name).is_dir():
        Run(folder / name).info  # noqa: B018  raises, since it is not among the readable ones
    if not runs:
        raise InputError(f"there is no run in {folder}{os.sep} yet: train one with  python -m trainer --preset cpu")
    if name is None:
        return list(runs.values())[-1]
    raise InputError(f"there is no run {name!r} in {folder}{os.sep}; there is {list_names(runs)}")


def create_run(name: str, info: Mapping[str, Any], folder: Path | None = None) -> Run:
    """Make the folder of a new run and write its ``run.json``, whose contents are ``info``.

    The ``definition`` of a tokenizer (`data.tokens.subwords`) is written to a file of its own.
    """
    path = (folder or runs_folder()) / check_free(name, folder)
    (path / "snapshots").mkdir(parents=True, exist_ok=True)
    tokenizer = dict(info.get("tokenizer") or {})
    if "definition" in tokenizer:  # up to megabytes, and run.json is read whenever runs are listed
        _, digest = write_bytes(path / TOKENIZER_FILE, tokenizer.pop("definition").encode())
        info = {**info, "tokenizer": {**tokenizer, "file": TOKENIZER_FILE, "sha256": digest}}
    write_json(path / "run.json", {"format": FORMAT, "name": name, **info})
    return Run(path)


@lru_cache(maxsize=4)  # a large one takes a second to read, and runs are opened often
def _tokenizer_in_a_file(description: str, definition: str) -> Tokenizer:
    return tokenizer_from_json({**json.loads(description), "definition": definition})


def write_snapshot(run: Run, step: int, tensors: Mapping[str, NDArray[Any]]) -> Snapshot:
    """Write the weights of one step and, once they are on the disk, their line in the manifest."""
    path = run.path / "snapshots" / f"{step:08d}.safetensors"
    size, digest = write_bytes(path, stream_tensors(tensors))
    append_line(
        run.path / "manifest.jsonl", {"step": step, "file": f"snapshots/{path.name}", "bytes": size, "sha256": digest}
    )
    return Snapshot(path, step, size, digest)


def rewind(run: Run, step: int) -> None:
    """Delete the records of a run after ``step``, so that training resumed from there writes each line once."""
    for name in ("manifest.jsonl", "metrics.jsonl", "samples.jsonl"):
        path = run.path / name
        kept = [record for record in read_lines(path) if record["step"] <= step]
        write_bytes(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in kept).encode())
