"""JSON from a file that may be damaged, or made to do harm: bounded in size and depth, and checked against a schema.

A schema is a type that msgspec knows, mostly a `msgspec.Struct`: it checks types, ranges and patterns. Keys that it does not name are
kept, since later versions may write more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from data.errors import list_names
from data.files.atomic_files import Record, split_checksum
from data.files.regular_files import open_regular, read_at_most, read_regular
from data.notices import notify

MOST_JSON_BYTES = 128 << 20
MOST_LINES_BYTES = 64 << 20
"""Of a ``.jsonl`` file, what is longer is left out: 64 MiB are some hundred thousand evaluations."""
MOST_CUT_BYTES = 4 << 20


class DamagedError(ValueError):
    """Contents that are no JSON, or not of the schema; the message says what and where."""


def parse_json(content: bytes, *schemas: Any) -> Any:
    """Parse JSON and check it against each schema; return plain dictionaries, lists, numbers and texts.

    Raises
    ------
    DamagedError
        If it cannot be parsed, is nested too deeply, or does not fit the schema.

    Examples
    --------
    >>> parse_json(b'{"step": 5}', dict[str, int])
    {'step': 5}
    """
    try:
        value = json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise DamagedError("it is nested too deeply") from None
    except ValueError as error:
        raise DamagedError(str(error)) from None
    check_json(value, *schemas)
    return value


def check_json(value: Any, *schemas: Any) -> None:
    """Check parsed JSON against each schema; a `DamagedError` says what is wrong and where."""
    try:
        for schema in schemas:
            msgspec.convert(value, schema, strict=True)
    except RecursionError:
        raise DamagedError("it is nested too deeply") from None
    except (ValueError, msgspec.ValidationError) as error:
        raise DamagedError(str(error)) from None


def read_json(path: Path, *schemas: Any) -> Any:
    """Read a JSON file and check it against each schema.

    Raises
    ------
    DamagedError
        If the contents are damaged; see `parse_json`.
    UnsafeFileError, OSError
        If the file is not regular, too large, or cannot be read.
    """
    return parse_json(read_regular(path, MOST_JSON_BYTES), *schemas)


def parse_line(line: bytes, *schemas: Any) -> Record | None:
    """Parse a line of a ``.jsonl`` file; None if it is damaged."""
    content, is_whole = split_checksum(line)
    try:
        record: Record = parse_json(content, dict, *schemas)
    except DamagedError:
        return None
    return record if is_whole else None


def read_lines(path: Path, *schemas: Any) -> list[Record]:
    """Read the lines of a ``.jsonl`` file; a missing file has none.

    The last line counts without its newline if it is whole; otherwise it is still being written.

    Warns
    -----
    UserWarning
        For lines that are damaged or do not fit a schema; they are left out.
    """
    try:
        with open_regular(path) as file:
            content = read_at_most(file, MOST_LINES_BYTES + 1)
    except FileNotFoundError:
        return []
    *lines, last = content[:MOST_LINES_BYTES].split(b"\n")
    if len(content) > MOST_LINES_BYTES:
        last = b""
        most = f"more than {MOST_LINES_BYTES >> 20} MiB"
        notify(f"{path.name} in run {path.parent.name!r} has {most}: what is beyond is left out", stacklevel=2)
    records = [parse_line(line, *schemas) for line in lines]
    _notify_of_lines(path, [number for number, record in enumerate(records, 1) if record is None])
    records.append(parse_line(last, *schemas) if last else None)
    return [record for record in records if record is not None]


def has_cut_line(path: Path) -> bool:
    """Check whether a ``.jsonl`` file ends in a part of a line: one that is being written, or was cut by a crash."""
    try:
        with open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_CUT_BYTES))
            last = file.read().rpartition(b"\n")[2]
    except FileNotFoundError:
        return False
    return bool(last) and parse_line(last) is None


def _notify_of_lines(path: Path, damaged: Sequence[int]) -> None:
    run = path.parent.name
    if len(damaged) == 1:
        notify(f"line {damaged[0]} of {path.name} in run {run!r} is damaged: it is left out", stacklevel=3)
    elif damaged:
        numbers = list_names(damaged, 4)
        notify(f"lines {numbers} of {path.name} in run {run!r} are damaged: they are left out", stacklevel=3)
