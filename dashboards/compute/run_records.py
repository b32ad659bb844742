"""What the table of all runs says of each, and the curves of those that are drawn; read again only when a run has grown or changed.

Of a thousand runs, the records of a run are read once: of its metrics only the last line, of its manifest only the steps.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dashboards.state.run_list import seems_live, stamp
from data.files.atomic_files import Record
from data.files.json_files import MOST_LINES_BYTES, parse_line
from data.files.regular_files import UnsafeFileError, open_regular, read_at_most
from data.runs import Run
from data.runs.labels import LABEL_FILE, Label, read_label
from data.runs.names import unknown_step
from data.runs.schema import Measures, MetricsLine

MOST_KEPT = 8192
MOST_CURVES_KEPT = 512
MOST_POINTS = 1000
"""Of a longer curve, every second, third, ... evaluation is drawn, and the last."""
LAST_LINES_BYTES = 16_384
AXES = ("step", "tokens", "seconds")
ONCE = ("val_loss_whole", "val_bits_per_character")
"""What only the last evaluation measures."""

_STEP = re.compile(rb'"step"\s*:\s*(\d+)')

SettingValue = str | float | bool
MetricCurves = Mapping[str, Sequence[float | None]]
"""Values of an evaluation by their names in metrics.jsonl, ``step`` among them."""


@dataclass(frozen=True)
class RunRecord:
    """A row of the table: what is known of a run without opening a snapshot. None where a run does not record it."""

    run: Run
    label: Label
    created: str
    text: str | None
    parameters: int | None
    snapshots: int
    step: int | None
    """Of the last evaluation, else of the last snapshot; None where it is not known."""
    val_loss: float | None
    val_loss_whole: float | None
    tokens: int | None
    seconds: float | None
    settings: Mapping[str, SettingValue]
    written_s: float
    """When the run wrote last, in seconds since 1970."""

    @property
    def is_live(self) -> bool:
        """Whether the run seems to be in training."""
        return seems_live(self.run, self.step, self.written_s)


def records(runs: Sequence[Run]) -> list[RunRecord]:
    """Read the record of each run."""
    return [_record(run, _marks(run)) for run in runs]


def curves(run: Run) -> MetricCurves:
    """Read what was measured during training, each value at the steps of ``step``."""
    return _curves(run, stamp(run))


def settings(info: Record) -> dict[str, SettingValue]:
    """Collect the settings of a run by name: of its model, its training, its tokenizer and where it comes from, without its text.

    Examples
    --------
    >>> settings({"model": {"n_layer": 2, "config": {}}, "training": {"lr": 0.1, "text": None}, "base": {"run": "a", "step": 5}})
    {'n_layer': 2, 'lr': 0.1, 'base': 'a'}
    """
    found: dict[str, Any] = dict(info.get("model") or {})
    for name, value in (info.get("training") or {}).items():
        found.setdefault(name, value)
    for part, key in (("tokenizer", "kind"), ("base", "run"), ("task", "name"), ("source", "model")):
        value = (info.get(part) or {}).get(key)
        if value is not None:
            found.setdefault(part, value)
    return {
        name: value if isinstance(value, (bool, int, float, str)) else ", ".join(map(str, value))
        for name, value in found.items()
        if name != "corpus" and (isinstance(value, (bool, int, str, list, tuple)) or finite(value) is not None)
    }


def _marks(run: Run) -> tuple[int, ...]:
    try:
        return *stamp(run), os.stat(f"{run.path}{os.sep}{LABEL_FILE}").st_mtime_ns
    except FileNotFoundError:
        return stamp(run)


@lru_cache(maxsize=MOST_KEPT)
def _record(run: Run, marks: tuple[int, ...]) -> RunRecord:
    info, last = run.info, _last_line(run.inside("metrics.jsonl"))
    steps = _snapshot_steps(run.inside("manifest.jsonl"))
    step = last.get("step", max(steps, default=None))
    return RunRecord(
        run=run,
        label=read_label(run),
        created=str(info.get("created") or "")[:19],
        text=(info.get("corpus") or {}).get("name"),
        parameters=info.get("parameters"),
        snapshots=len(steps),
        step=None if unknown_step(info) else step,
        val_loss=finite(last.get("val_loss")),
        val_loss_whole=finite(last.get("val_loss_whole")),
        tokens=last.get("tokens"),
        seconds=finite(last.get("seconds")),
        settings=settings(info),
        written_s=max(marks[:8:2]) / 1e9,
    )


@lru_cache(maxsize=MOST_CURVES_KEPT)
def _curves(run: Run, marks: tuple[int, ...]) -> MetricCurves:
    lines = [line for line in run.metrics() if isinstance(line.get("step"), int)]
    stride = -(-len(lines) // MOST_POINTS)
    kept = lines[:: stride or 1] + ([lines[-1]] if lines and (len(lines) - 1) % stride else [])
    names = dict.fromkeys(name for line in kept for name, value in line.items() if finite(value) is not None)
    return {name: [_short(finite(line.get(name))) for line in kept] for name in names if name not in ONCE}


def _short(value: float | None) -> float | None:
    """Round to the digits that can be seen, so that a hundred curves are sent at once."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def finite(value: Any) -> Any:
    """Return a number, and None for what is none or not finite."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) else None


def _last_line(path: Path) -> Record:
    """Read the line of the latest step at the end of a ``.jsonl`` file, without reading all before it; an empty record if there is none.

    After a resume, lines of earlier steps may follow those of an earlier attempt.
    """
    try:
        with open_regular(path) as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LAST_LINES_BYTES))
            lines = file.read().split(b"\n")[:-1]
    except (OSError, UnsafeFileError):
        return {}
    latest_last = sorted(lines, key=lambda line: int(found[1]) if (found := _STEP.search(line)) else -1)
    return next((record for line in reversed(latest_last) if (record := parse_line(line, MetricsLine, Measures))), {})


def _snapshot_steps(path: Path) -> set[int]:
    """Read the steps of a manifest; a step that was entered twice counts once."""
    try:
        with open_regular(path) as file:
            content = read_at_most(file, MOST_LINES_BYTES)
    except (OSError, UnsafeFileError):
        return set()
    return {int(step) for step in _STEP.findall(content[: content.rfind(b"\n") + 1])}
