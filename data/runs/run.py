"""A run on disk, format 1, which training writes and everything else reads. It needs no torch and holds no pickle.

::

    runs/<name>/
      run.json          one JSON object; see below
      tokenizer.json    for sub-words: the tokenizer as Hugging Face's `tokenizers` reads it
      manifest.jsonl    one line per snapshot: {"step", "file", "bytes", "sha256"}
      metrics.jsonl     one line per evaluation: {"step", "train_loss", "val_loss", "lr", "grad_norm", "tokens", "seconds"}
      samples.jsonl     one line per sample: {"step", "prompt", "text", "temperature", "seed"}
      training.lock     held by the process that trains the run, which it names (`data.runs.training_lock`)
      snapshots/00001000.safetensors
      resume/           manifest.jsonl and two slots, a.safetensors and b.safetensors, written in turn
      label.json        the name and colour under which the dashboard shows it, see `data.runs.labels`
      traces/           the candidates that decoding considered for every token, see `data.runs.traces`
      films/ figures/ projections/    made from the run; a .json file beside each film and figure records how

**run.json.** One JSON object. Readers ignore keys that they do not know.

==============  ====================================================================================================
format          1
sha256          of the other keys: of their JSON with sorted keys, ASCII only, without spaces, as hexadecimal digits
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

**Complete lines, complete files.** A line of a ``.jsonl`` file counts once it is whole, so a run can be read during training. Its last key,
``crc32``, is the CRC-32 of the line before ``, "crc32"``; lines without it, of earlier versions, are read too. A snapshot is written under
a hidden name, flushed to the disk, renamed, and only then entered in the manifest, which is flushed as well. A snapshot in the manifest is
therefore complete, and its hash detects later damage. Of lines with the same step, the last counts; a file belongs to one step.

**Reading without trust.** A run may be damaged, or come from somebody else. Records are checked against `data.runs.schema`: a line that
does not fit is named and left out, a run whose run.json does not fit is named and passed over. No link inside a run is followed.

**Metrics.** Losses are in nats per token, measured on the same sample of the validation split each time. The last line adds
``val_loss_whole``, the loss on the whole validation split, and ``val_bits_per_character``, the same per character (`data.tokens.bits`).
``lr`` and ``grad_norm``, the norm of the gradient before clipping, are those of the step that led here; ``tokens`` counts those learned
so far; ``seconds`` is the time spent training, including resumed parts; ``threads`` is the number of CPU threads then, where the training
chooses it (`trainer.threads`).

**Snapshots.** Names are those of the model's parameters (``wte.weight``, ``h.0.attn.c_attn.weight``, ...). Tied weights are stored once.
If the recipe averages weights, a snapshot holds the running average, which is what was evaluated at its step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from data.errors import InputError, list_names
from data.files.atomic_files import Record
from data.files.json_files import DamagedError, check_json, has_cut_line, read_json, read_lines
from data.files.regular_files import inside, read_regular
from data.language import say
from data.notices import notify
from data.runs.card import run_card
from data.runs.names import step_label, unknown_step
from data.runs.schema import ManifestLine, Measures, MetricsLine, RunInfo, SampleLine
from data.runs.snapshot import Snapshot, Tensors
from data.runs.training_lock import is_training
from data.tokens.tokenizers import Tokenizer, tokenizer_from_json

FORMAT = 1
TOKENIZER_FILE = "tokenizer.json"
MOST_TOKENIZER_BYTES = 256 << 20
MOST_NAMED = 4
"""Of many damaged lines the first few are named."""


@dataclass(frozen=True)
class Run:
    """A run on disk, read lazily. `manifest`, `metrics` and `samples` read their file again at each call."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def info(self) -> Record:
        """The contents of ``run.json``, without its hash and without keys that are null."""
        try:
            info: Record = read_json(self.inside("run.json"), dict)
            if info.get("format") != FORMAT:
                raise InputError(
                    f"run {self.name!r} has format {info.get('format')!r}; this version reads format {FORMAT}"
                )
            check_json(info, RunInfo)
        except (OSError, DamagedError) as error:
            raise InputError(
                f"run {self.name!r} cannot be read: its run.json is missing or damaged ({error})"
            ) from None
        digest = info.pop("sha256", None)
        if digest is not None and digest != hash_info(info):
            advice = "put the original back, or remove its key sha256 if you changed it yourself"
            raise InputError(f"the run.json of run {self.name!r} is not as it was written: {advice}")
        return {name: value for name, value in info.items() if value is not None}

    def inside(self, *parts: str) -> Path:
        """Join a path below the run's folder; an `InputError` says if a part of it is a link (`data.files.regular_files.inside`)."""
        return inside(self.path, *parts)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that ``run.json`` describes."""
        tokenizer = self._read_tokenizer()
        n_rows = (self.info.get("model") or {}).get("vocab_size")
        is_trained_here = "preset" in (self.info.get("training") or {})  # elsewhere, tables have unused rows
        if is_trained_here and n_rows is not None and n_rows != tokenizer.vocab_size:
            raise InputError(
                f"the run.json of run {self.name!r} is damaged: "
                f"its tokenizer has {tokenizer.vocab_size:,} tokens and its model {n_rows:,}"
            )
        return tokenizer

    def _read_tokenizer(self) -> Tokenizer:
        description = self.info.get("tokenizer")
        if not description:
            raise InputError(f"run {self.name!r} does not describe its tokenizer: its run.json is damaged")
        if "file" not in description:
            return tokenizer_from_json(description)
        path = self.inside(Path(description["file"]).name)
        try:
            content = read_regular(path, MOST_TOKENIZER_BYTES)
        except OSError as error:
            raise InputError(
                f"run {self.name!r} has lost its {path.name} ({error.strerror}): put it back, or train the run again"
            ) from None
        if hashlib.sha256(content).hexdigest() != description.get("sha256"):
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
        """Read the manifest: one record per step, in the order of the steps; of a step entered twice the last.

        Warns
        -----
        UserWarning
            For lines that are damaged, that were cut, or that name the file of another step; they are left out.
        """
        by_step: dict[int, Record] = {}
        step_of: dict[str, int] = {}
        shared: list[tuple[int, int]] = []
        for record in self._lines("manifest.jsonl", ManifestLine):
            step, file = record["step"], record["file"]
            if step_of.setdefault(file, step) == step:
                by_step[step] = record
            else:
                shared.append((step_of[file], step))
        self._notify_of_shared(shared)
        return [by_step[step] for step in sorted(by_step)]

    def _notify_of_shared(self, shared: Sequence[tuple[int, int]]) -> None:
        """Give notice of lines of the manifest that name the file of another step, given both steps; of many only the first few."""
        for step, other in shared[:MOST_NAMED]:
            steps = f"step {step} for step {other}"
            notify(f"the manifest of run {self.name!r} names the file of {steps} as well: it is left out", stacklevel=3)
        if n_more := len(shared[MOST_NAMED:]):
            notify(
                f"{n_more:,} more lines of the manifest of run {self.name!r} name the files of other steps: they are left out",
                stacklevel=3,
            )

    def metrics(self) -> list[Record]:
        """Read what was measured, in the order of the steps; of a step measured twice the last."""
        by_step = {record["step"]: record for record in self._lines("metrics.jsonl", MetricsLine, Measures)}
        return [by_step[step] for step in sorted(by_step)]

    def samples(self) -> list[Record]:
        """Read the texts that were generated, in the order of the steps; of a step sampled twice the last."""
        by_step = {record["step"]: record for record in self._lines("samples.jsonl", SampleLine)}
        return [by_step[step] for step in sorted(by_step)]

    def snapshots(self) -> list[Snapshot]:
        """List every snapshot in the manifest, in the order of the steps, without opening the files."""
        records = self.manifest()
        folder = self.inside("snapshots") if records else self.path
        return [
            Snapshot(folder / Path(record["file"]).name, record["step"], record["bytes"], record["sha256"])
            for record in records
        ]

    def _lines(self, name: str, *schemas: Any) -> list[Record]:
        """Read the lines of one of the run's ``.jsonl`` files; a line that was cut is named unless a training writes it."""
        path = self.inside(name)
        records = read_lines(path, *schemas)
        if has_cut_line(path) and not is_training(self.path):
            notify(f"the last line of {name} in run {self.name!r} was cut: it is left out", stacklevel=3)
        return records

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
            raise self.without_snapshots()
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
            raise self.without_snapshots()

    def _leave_out(self, snapshot: Snapshot, defect: str) -> None:
        notify(f"snapshot of step {snapshot.step} of run {self.name!r} {defect}: it is left out", stacklevel=3)

    def without_snapshots(self) -> InputError:
        """Build the error for a run of which no snapshot is whole."""
        return InputError(f"run {self.name!r} has no whole snapshot: train it again, or choose another with `run`")

    def _repr_html_(self) -> str:
        return run_card(self.name, self.info, self.metrics(), [record["step"] for record in self.manifest()])

    def snapshot(self, step: int) -> Snapshot:
        """Find the snapshot of one step."""
        snapshots = {snapshot.step: snapshot for snapshot in self.snapshots()}
        if step not in snapshots:
            raise InputError(
                f"run {self.name!r} has no snapshot of step {step}; it has {list_names(snapshots) or 'none'}"
            )
        return snapshots[step]


@lru_cache(maxsize=4)  # a large one takes a second to read, and runs are opened often
def _tokenizer_in_a_file(description: str, definition: str) -> Tokenizer:
    return tokenizer_from_json({**json.loads(description), "definition": definition})


def hash_info(info: Mapping[str, Any]) -> str:
    """Compute the ``sha256`` of run.json: that of its other keys."""
    others = {key: value for key, value in info.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(others, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
