"""Atomic files: a file is written whole or not at all, and lines can be read while others are appended."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data.notices import notify

Record = dict[str, Any]


def write_bytes(path: Path, content: bytes | Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Write a file whole or not at all, even if the machine stops.

    Parameters
    ----------
    path : of the file; its folder is made.
    content : all bytes, or pieces, which are written one by one and are never in memory together.

    Returns
    -------
    size, sha256 : of the file, in bytes and as hexadecimal digits.
    """
    size, digest = 0, hashlib.sha256()
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with hidden.open("wb") as file:
            for piece in [content] if isinstance(content, bytes) else content:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return size, digest.hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one line of JSON; a line cut short by a full disk is removed again.

    Readers (`read_lines`) ignore it until its newline is written.
    """
    line = (json.dumps(record, ensure_ascii=False) + "\n").encode()
    with path.open("ab", buffering=0) as file:
        start = file.tell()
        if file.write(line) < len(line):
            os.truncate(path, start)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def read_lines(path: Path) -> list[Record]:
    """Read the complete lines of a ``.jsonl`` file; a missing file has none."""
    if not path.exists():
        return []
    records: list[Record] = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):  # the rest is still being written
        try:
            records.append(json.loads(line))
        except ValueError:
            notify(f"line {number} of {path.name} in run {path.parent.name!r} is damaged: it is left out", stacklevel=2)
    return records


def parse_line(line: bytes) -> Record | None:
    """Parse a line of a ``.jsonl`` file; None if it is damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open folders, and has written a rename when it returns
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
