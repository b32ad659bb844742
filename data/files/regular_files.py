"""Regular files inside a folder: nothing is read or written through a link, a pipe or a device.

A run may come from somebody else. A link in it could lead anywhere, opening a pipe would wait for ever, and a device has no end. So the
parts of a path below a run are checked before use (`inside`), and files are opened without following a link and checked for their kind.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from data.errors import InputError
from data.files.remote_files import is_remote, open_remote, size_at

# Windows has neither: its links need rights that archives lack, and opening a pipe there does not wait.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_AS_BYTES = getattr(os, "O_BINARY", 0)
_PIECE_BYTES = 1 << 20


class UnsafeFileError(InputError):
    """A path that leads out of its folder, or a file that is a link, a pipe or a device, or larger than it may be."""


def inside(folder: Path, *parts: str) -> Path:
    """Join a path below a folder, and check that no part of it is a link.

    Parameters
    ----------
    folder : may be reached through links itself.
    parts : names below it, one each; what they name need not exist.

    Raises
    ------
    UnsafeFileError
        If a part is a link, or is not a plain name (``..``, ``a/b``, an absolute path).

    Examples
    --------
    >>> inside(Path("runs/demo"), "snapshots", "00000100.safetensors").as_posix()
    'runs/demo/snapshots/00000100.safetensors'
    """
    path = folder
    for part in parts:
        if part in ("", ".", "..") or "\0" in part or Path(part).name != part:
            raise UnsafeFileError(f"{part!r} is not the name of a file in {folder}: give a name without folders")
        path = path / part
        if not is_remote(path) and path.is_symlink():
            raise UnsafeFileError(f"{path} is a link, which is not followed: put the file itself there")
    return path


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading, also at an address of fsspec.

    Raises
    ------
    UnsafeFileError
        If it is a link, a folder, a pipe or a device.
    OSError
        If it does not exist or may not be read.
    """
    if is_remote(path):
        return open_remote(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT | _AS_BYTES)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK) and path.is_symlink():
            raise UnsafeFileError(f"{path} is a link, which is not followed: put the file itself there") from None
        if error.errno in (errno.ENXIO, errno.EISDIR):
            raise UnsafeFileError(f"{path} is not a regular file: put the file itself there") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnsafeFileError(f"{path} is not a regular file: put the file itself there")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Read a regular file of at most so many bytes; the errors are those of `open_regular`, and `UnsafeFileError` for a larger one."""
    with open_regular(path) as file:
        is_larger = size_of(path, file) > most_bytes
        content = b"" if is_larger else read_at_most(file, most_bytes + 1)
    if is_larger or len(content) > most_bytes:
        raise UnsafeFileError(
            f"{path} has more than {most_bytes / 1e6:,.0f} MB, and such a file has not: it is not read"
        )
    return content


def size_of(path: Path, file: BufferedReader) -> int:
    """Return the size of an opened file, in bytes."""
    return size_at(path) if is_remote(path) else os.fstat(file.fileno()).st_size


def read_at_most(file: BufferedReader, most_bytes: int) -> bytes:
    """Read a file up to a number of bytes; `read` would ask for memory for all of them at once."""
    pieces, rest = [], most_bytes
    while rest and (piece := file.read(min(rest, _PIECE_BYTES))):
        pieces.append(piece)
        rest -= len(piece)
    return b"".join(pieces)
