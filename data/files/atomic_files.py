"""Atomic files: a file is written whole or not at all, and lines can be read while others are appended.

What a function here has written when it returns is still there after a crash of the machine: files and the folders that name them are
flushed to the disk (fsync). A process that dies while it writes leaves a hidden file behind, ``.<name>.<process id>``, which
`sweep_unfinished` removes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data.files.regular_files import UnsafeFileError
from data.files.remote_files import check_local

Record = dict[str, Any]

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_AS_BYTES = getattr(os, "O_BINARY", 0)
UNFINISHED = re.compile(r"\..+\.(\d+)")
"""The names of files that are being written, with the number of the process."""
MOST_CUT_BYTES = 1 << 16
"""A line that was cut and is longer is left as it is."""
_CHECKED = re.compile(rb'(\{.*), "crc32": "([0-9a-f]{8})"\}', re.DOTALL)


def write_bytes(path: Path, content: bytes | Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Write a file whole or not at all, even if the machine stops.

    Parameters
    ----------
    path : of the file; its folder is made. A link of this name is replaced, not followed.
    content : all bytes, or pieces, which are written one by one and are never in memory together.

    Returns
    -------
    size, sha256 : of the file, in bytes and as hexadecimal digits.
    """
    check_local(path)
    size, digest = 0, hashlib.sha256()
    make_folder(path.parent)
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    hidden.unlink(missing_ok=True)  # of a dead process that had this number
    try:
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _AS_BYTES, 0o666)
        try:
            for piece in [content] if isinstance(content, bytes) else content:
                _write_all(descriptor, piece, path)
                digest.update(piece)
                size += len(piece)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(hidden, path)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return size, digest.hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    write_bytes(path, encode_json(value))


def encode_json(value: Any) -> bytes:
    """Encode a value as it stands in a JSON file: indented, with a line end."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one line of JSON with its checksum, and flush it to the disk; a line cut short by a full disk is removed again.

    Readers (`data.files.json_files.read_lines`) ignore a line until its newline is written. A line before it that was cut by a crash is
    removed: it was never reported as written. One that only lacks its newline gets it. A file that has a second name (a hard link) is
    copied before, so that only the one in its folder grows.
    """
    check_local(path)
    line = encode_line(record)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _NO_LINK | _AS_BYTES, 0o666)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeFileError(f"{path} is not a regular file: put the file itself there")
        if status.st_nlink > 1:
            write_bytes(path, path.read_bytes() + line)
            return
        size, last = status.st_size, _last_line(descriptor, status.st_size)
        if last and _is_cut(last):
            size -= len(last)
            os.ftruncate(descriptor, size)
        elif last:
            line = b"\n" + line
        try:
            _write_all(descriptor, line, path)
            os.fsync(descriptor)
        except BaseException:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)


def encode_line(record: Mapping[str, Any]) -> bytes:
    """Encode a record as a line of a ``.jsonl`` file, with the CRC-32 of the rest of the line as its last key.

    Examples
    --------
    >>> encode_line({"step": 5})
    b'{"step": 5, "crc32": "3ac74723"}\\n'
    """
    described = json.dumps(record, ensure_ascii=False).encode()[:-1]
    separator = b", " if record else b""
    return described + separator + b'"crc32": "%08x"}\n' % zlib.crc32(described)


def split_checksum(line: bytes) -> tuple[bytes, bool]:
    """Remove the checksum from a line without its newline; return the rest, and whether it is what was written.

    A line without a checksum, as earlier versions wrote it, counts as what was written.
    """
    found = _CHECKED.fullmatch(line)
    if found is None:
        return line, b'"crc32": "' not in line[-24:]
    return found[1] + b"}", int(found[2], 16) == zlib.crc32(found[1])


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they are still there after a crash."""
    check_local(folder)
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    if os.name == "nt":  # Windows cannot open folders, and has written a rename when it returns
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_unfinished(folder: Path) -> int:
    """Remove the hidden files that dead processes left in a folder; return their number."""
    n_removed = 0
    for path in folder.glob(".*"):
        found = UNFINISHED.fullmatch(path.name)
        if found and path.is_file() and not is_alive(int(found[1])):
            path.unlink(missing_ok=True)
            n_removed += 1
    return n_removed


def is_alive(process: int) -> bool:
    """Check whether a process of this machine is running; where that cannot be asked, it counts as running."""
    if os.name == "nt":
        return True  # os.kill would end it there; such files stay
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _last_line(descriptor: int, size: int) -> bytes:
    """Read what stands after the last newline; of much only the end."""
    os.lseek(descriptor, max(0, size - MOST_CUT_BYTES), os.SEEK_SET)
    return os.read(descriptor, MOST_CUT_BYTES).rpartition(b"\n")[2]


def _is_cut(line: bytes) -> bool:
    """Check that a line was cut before its checksum was written; one with damage elsewhere is left as it is."""
    return len(line) < MOST_CUT_BYTES and b'"crc32": "' not in line and not line.endswith(b"}")


def _write_all(descriptor: int, content: bytes | memoryview, path: Path) -> None:
    rest = memoryview(content)
    while rest:
        n_written = os.write(descriptor, rest)
        if not n_written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        rest = rest[n_written:]
