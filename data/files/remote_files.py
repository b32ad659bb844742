"""Files at an address of fsspec, such as ``s3://bucket/runs`` or ``memory://runs``: they are read, by ranges where only a part is needed.

Paths there are those of universal-pathlib, which have the methods of `pathlib.Path`. Nothing is written there.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from data.errors import InputError


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
    """Check that a file can be written: raise `PermissionError` if it is remote."""
    if is_remote(path):
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS), str(path))


def read_range(path: Path, start: int, end: int) -> bytes:
    """Read the bytes from ``start`` to before ``end`` of a file, and no others."""
    if not is_remote(path):
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
    remote: Any = path
    content: bytes = remote.fs.cat_file(remote.path, start=start, end=end)
    return content
