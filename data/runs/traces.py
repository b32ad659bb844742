"""Decoding traces: the candidates for every generated token, in a file of a run. No torch is needed.

::

    runs/<name>/traces/<what>.jsonl
      {"format": 1, "run", "step", "sha256", "prompt", "prompt_tokens", "decoding", "request",
       "n_tokens"}
      {"sample": 0, "position": 0, "id": 72, "token": "e", "probability": 0.31, "drawn_from": 0.4, "candidates": [...]}
      ...

The first line, the header, records the request: the snapshot with its hash, the prompt as text and as tokens, ``decoding`` (how tokens are
chosen) and ``request`` (how many). Every other line is one token of one sample:

===========  ========================================================================================================
position     counted from 0 at the first generated token
probability  of the token by the model (softmax of its logits)
drawn_from   its probability after penalties, temperature and filters, with which it was drawn
candidates   the most probable tokens by ``drawn_from``, then by ``probability``: each ``[id, token, probability, drawn_from]``. The
             token that was drawn need not be among them
===========  ========================================================================================================
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import InputError
from data.files.atomic_files import Record, encode_line, write_bytes
from data.files.json_files import DamagedError, check_json, read_lines
from data.files.remote_files import is_remote, reached
from data.runs import Run
from data.runs.schema import TraceHeader, TraceLine

FORMAT = 1


@dataclass(frozen=True)
class Trace:
    """A decoding trace: its header, and one record per generated token."""

    header: Record
    steps: Sequence[Record]

    def of_sample(self, sample: int) -> list[Record]:
        """Select the records of one sample, in order."""
        found = [step for step in self.steps if step["sample"] == sample]
        if not found:
            there = sorted({step["sample"] for step in self.steps})
            raise InputError(f"the trace has no sample {sample}; it has {', '.join(map(str, there)) or 'none'}")
        return found


def write_trace(run: Run, trace: Trace) -> Path:
    """Write a trace into the folder ``traces/`` of a run, in place of an earlier one of the same request."""
    path = run.inside("traces", f"{_name(trace.header)}.jsonl")
    lines = [{"format": FORMAT, **trace.header, "n_tokens": len(trace.steps)}, *trace.steps]
    write_bytes(path, b"".join(map(encode_line, lines)))
    return path


def list_traces(run: Run) -> list[str]:
    """List the names of the traces of a run, the newest last."""
    folder = run.inside("traces")
    with reached(folder):
        files = [
            path for path in folder.glob("*.jsonl") if path.is_file() and (is_remote(path) or not path.is_symlink())
        ]
        # Servers do not all say when a file was written.
        return [
            path.stem
            for path in sorted(files, key=lambda path: (0 if is_remote(path) else path.stat().st_mtime_ns, path.name))
        ]


def read_trace(run: Run, name: str) -> Trace:
    """Read a trace of a run by its name."""
    there = list_traces(run)
    name = name.removesuffix(".jsonl")
    if name not in there:
        known = f"it has {', '.join(there)}" if there else "record one with  python -m trainer.generate --trace"
        raise InputError(f"run {run.name!r} has no trace {name!r}: {known}")
    lines = read_lines(run.inside("traces", f"{name}.jsonl"))
    if not lines or lines[0].get("format") != FORMAT:
        raise InputError(f"the trace {name!r} of run {run.name!r} is not of format {FORMAT}: record it again")
    try:
        check_json(lines[0], TraceHeader)
        check_json(lines[1:], list[TraceLine])
        header = dict(lines[0])
        if header.pop("n_tokens", len(lines) - 1) != len(lines) - 1:  # earlier versions did not count them
            raise DamagedError("it lacks lines, or has some twice")
    except DamagedError as error:
        raise InputError(f"the trace {name!r} of run {run.name!r} is damaged ({error}): record it again") from None
    return Trace(header, lines[1:])


def _name(header: Record) -> str:
    """Name a trace by words of its prompt, its settings, and a hash of the whole request."""
    letters = unicodedata.normalize("NFKD", header["prompt"]).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")[:24].strip("-") or "prompt"
    temperature = f"{header['decoding']['temperature']:g}"
    whole = json.dumps([header[name] for name in ("step", "prompt", "decoding", "request")], sort_keys=True)
    digest = hashlib.sha256(whole.encode()).hexdigest()[:6]
    return f"{words}-step-{header['step']}-temperature-{temperature}-seed-{header['request']['seed']}-{digest}"
