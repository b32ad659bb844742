"""A snapshot: the weights at one optimizer step, in a safetensors file whose hash the manifest holds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data.errors import InputError
from data.files.json_files import DamagedError
from data.files.regular_files import UnsafeFileError, open_regular, size_of
from data.files.remote_files import is_remote, size_at
from data.files.safetensors_files import decode_tensors, integers, read_shapes, read_tensor, read_tensors

Tensors = dict[str, NDArray[Any]]
"""Arrays by the name of the parameter."""
Content = bytes
"""The bytes of a file; `Snapshot.bytes` is their number."""


@dataclass(frozen=True)
class Snapshot:
    """The weights at one optimizer step, read lazily, tensor by tensor.

    ``path`` is the safetensors file; ``bytes`` and ``sha256`` are its size and hash in the manifest.
    """

    path: Path
    step: int
    bytes: int
    sha256: str

    def tensor(self, name: str) -> NDArray[Any]:
        """Read one tensor without reading the others, and without checking the hash of the file."""
        try:
            return read_tensor(self.path, name)
        except KeyError as missing:
            raise InputError(f"snapshot of step {self.step}: {missing.args[0]}") from None
        except (DamagedError, OSError, UnsafeFileError) as error:
            raise InputError(f"snapshot of step {self.step} {_describe(error)}: choose another step") from None

    def tensors(self) -> Tensors:
        """Read all tensors, in the order of the file, without checking its hash."""
        with open_regular(self.path) as file:
            return decode_tensors(file.read())

    def shapes(self) -> dict[str, tuple[int, ...]] | str:
        """Read the shapes of all tensors from the header, without checking the hash of the file; or describe its defect."""
        try:
            return read_shapes(self.path)
        except (DamagedError, OSError, UnsafeFileError) as error:
            return _describe(error)

    def defect(self) -> str | None:
        """Describe what is wrong with the file (missing, unreadable, truncated, damaged); None if it is as the manifest says."""
        try:
            with open_regular(self.path) as file:
                if (size := size_of(self.path, file)) != self.bytes:
                    return self._mismatch(size, "")
                return self._mismatch(size, hashlib.file_digest(file, "sha256").hexdigest())
        except (OSError, UnsafeFileError) as error:
            return _describe(error)

    def read_checked(self, names: Collection[str] | None = None) -> Tensors | str:
        """Read tensors, all or those of ``names``, and check the hash of the file in one reading of it.

        Returns
        -------
        The tensors by name, or the defect of the file (see `defect`).
        """
        if is_remote(self.path) and names is not None:
            return self._read_ranges(names)
        content = self._read()
        if isinstance(content, str):
            return content
        try:
            if found := integers(content):
                return f"holds no weights in {found[0]!r}, but integers"
            return decode_tensors(content, names)
        except DamagedError as error:
            return _describe(error)
        except KeyError as missing:
            raise InputError(f"snapshot of step {self.step}: {missing.args[0]}") from None

    def _read_ranges(self, names: Collection[str]) -> Tensors | str:
        """Read tensors by ranges; the size of the file is checked, but not its hash, for which it would have to be read whole."""
        try:
            if (size := size_at(self.path)) != self.bytes:
                return self._mismatch(size, "") or ""
            return read_tensors(self.path, names)
        except (DamagedError, OSError) as error:
            return _describe(error)
        except KeyError as missing:
            raise InputError(f"snapshot of step {self.step}: {missing.args[0]}") from None

    def _read(self) -> Content | str:
        """Read the bytes of the file, or describe its defect; a file of another size than the manifest's is not read."""
        try:
            with open_regular(self.path) as file:
                if (size := size_of(self.path, file)) != self.bytes:
                    return self._mismatch(size, "") or ""
                content = file.read()
        except (OSError, UnsafeFileError) as error:
            return _describe(error)
        return self._mismatch(len(content), hashlib.sha256(content).hexdigest()) or content

    def _mismatch(self, size: int, digest: str) -> str | None:
        if size != self.bytes:
            return f"has {size:,} bytes instead of {self.bytes:,}"
        return None if digest == self.sha256 else "is damaged (its sha256 is not the one in the manifest)"


def _describe(error: Exception) -> str:
    """Describe what prevents the reading of a file, as the end of a sentence about it."""
    if isinstance(error, FileNotFoundError):
        return "is missing"
    if isinstance(error, UnsafeFileError):
        return "is a link or another thing than a file"
    if isinstance(error, OSError):
        return f"cannot be read ({os.strerror(error.errno) if error.errno else error})"
    return f"is damaged ({error})"
