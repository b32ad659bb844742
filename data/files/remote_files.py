"""Files at an address of fsspec, such as ``s3://bucket/runs`` or ``memory://runs``: they are read, by ranges where only a part is needed.

Paths there are those of universal-pathlib, which have the methods of `pathlib.Path`. Nothing is written there.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.errors import InputError

_PIECE_BYTES = 1 << 20


class RemoteError(InputError, OSError):
    """An address that cannot be reached or read, or to which something was to be written."""


def as_path(address: str) -> Path:
    """Make a path of a folder's name, or of an address with ``://``.

    Raises
    ------
    InputError
        If the packages for such an address are not installed, or it is of a kind that fsspec does not know.
    """
    if "://" not in address:
        return Path(address)
    try:
        from upath import UPath

        path: Any = UPath(address)
        path.fs  # noqa: B018  imports what this kind of address needs
    except ImportError as missing:
        raise InputError(
            f"{address} is read through fsspec, of which a part is not installed ({missing}): pip install 'gptlab[remote]'"
        ) from None
    except ValueError as error:
        raise InputError(
            f"{address} is no address that can be read ({error}): give a folder, or s3://bucket/runs"
        ) from None
    return path  # type: ignore[no-any-return]


def is_remote(path: Path) -> bool:
    """Check whether a path is one of another file system than that of this machine."""
    return not isinstance(path, Path)


def check_local(path: Path) -> None:
    """Check that a file or folder can be written: a `RemoteError` says that nothing is written to an address."""
    if is_remote(path):
        raise RemoteError(f"{path} is an address, where nothing is written: give a folder of this machine")


@contextlib.contextmanager
def reached(path: Path) -> Iterator[None]:
    """Raise what a file system's own library raises within the ``with`` as a `RemoteError`, but for files that do not exist."""
    try:
        yield
    except (InputError, FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise
    except Exception as error:
        if not is_remote(path):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RemoteError(f"{path} cannot be read ({reason})") from None


def is_folder(path: Path) -> bool:
    """Check whether there is a folder at a path; a `RemoteError` says if its address cannot be reached."""
    with reached(path):
        return path.is_dir()


def size_at(path: Path) -> int:
    """Return the size of a file in bytes, without opening it."""
    with reached(path):
        return path.stat().st_size


def remote_files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the path below a folder at an address of each file in it, and its size in bytes."""
    remote: Any = folder
    root = remote.path.rstrip("/")
    for path, found in sorted(remote.fs.find(remote.path, detail=True).items()):
        name = path[path.index(root) + len(root) :].lstrip("/")
        size = found["size"]  # servers do not name it in their lists
        yield name, size_at(folder / name) if size is None else size


def read_range(path: Path, start: int, end: int) -> bytes:
    """Read the bytes from ``start`` to before ``end`` of a file, and no others unless its server sends whole files only."""
    if not is_remote(path):
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
    if end <= start:
        return b""
    remote: Any = path
    with reached(path):
        content: bytes = remote.fs.cat_file(remote.path, start=start, end=end)
    return content if len(content) <= end - start else content[start:end]


def open_remote(path: Path) -> io.BufferedReader:
    """Open a file at an address for reading; it is read in pieces of 1 MB as they are asked for."""
    return io.BufferedReader(_RangeReader(path), _PIECE_BYTES)


class _RangeReader(io.RawIOBase):
    """The bytes of a file at an address, read by ranges."""

    def __init__(self, path: Path):
        self._path, self._place, self.n_bytes = path, 0, size_at(path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, origin: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.n_bytes}[origin]
        return self._place

    def tell(self) -> int:
        return self._place

    def readall(self) -> bytes:
        """Read the rest at once; that of the base class asks for 8 kB at a time."""
        content = read_range(self._path, self._place, self.n_bytes)
        self._place += len(content)
        return content

    def readinto(self, buffer: Any) -> int:
        content = read_range(self._path, self._place, min(self.n_bytes, self._place + len(buffer)))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)
