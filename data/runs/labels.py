"""The label of a run: the name and the colour that somebody gave it in the dashboard, in ``label.json`` in the run's folder.

The folder's name stays the name of the run, which commands, links and other runs refer to. A label lies within the run, so that it is
copied, moved and deleted with it, and two people who label two runs do not write the same file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from data.errors import InputError
from data.files.atomic_files import write_json
from data.files.json_files import DamagedError, read_json
from data.files.regular_files import UnsafeFileError
from data.runs.run import Run, hash_info
from data.runs.schema import LabelEntry

LABEL_FILE = "label.json"
LONGEST_NAME = 80
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Label:
    """A name to show, and a colour as ``#RRGGBB``; empty where none was given."""

    name: str = ""
    color: str = ""


def read_label(run: Run) -> Label:
    """Read the label of a run; what is missing or cannot be read counts as not given.

    Examples
    --------
    >>> from pathlib import Path
    >>> read_label(Run(Path("no-such-run")))
    Label(name='', color='')
    """
    try:
        found = read_label_file(run)
    except (OSError, DamagedError, UnsafeFileError):
        return Label()
    name, color = found.get("name", ""), found.get("color", "")
    return Label(_one_line(name)[:LONGEST_NAME], color if _COLOR.fullmatch(color) else "")


def read_label_file(run: Run) -> Mapping[str, Any]:
    """Read label.json; a `DamagedError` says if it is not what was written."""
    found: Mapping[str, Any] = read_json(run.inside(LABEL_FILE), LabelEntry)
    if found.get("sha256") not in (None, hash_info(found)):  # earlier versions wrote none
        raise DamagedError("its sha256 is another")
    return found


def write_label(run: Run, label: Label) -> None:
    """Write the label of a run; an empty one removes the file."""
    name = _one_line(label.name)
    if len(name) > LONGEST_NAME:
        raise InputError(f"a name to show has at most {LONGEST_NAME} characters; got {len(name)}")
    if label.color and not _COLOR.fullmatch(label.color):
        raise InputError(f"{label.color!r} is no colour: give one like #0072B2")
    if name or label.color:
        entry = asdict(Label(name, label.color))
        write_json(run.inside(LABEL_FILE), {**entry, "sha256": hash_info(entry)})
    else:
        run.inside(LABEL_FILE).unlink(missing_ok=True)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
