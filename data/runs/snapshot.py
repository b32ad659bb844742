"""A snapshot: the weights at one optimizer step, in a safetensors file whose hash the manifest holds."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data.errors import InputError
from data.runs.safetensors_files import decode_tensors, read_tensor

Tensors = dict[str, NDArray[Any]]
"""Arrays by the name of the parameter."""


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

    def tensors(self) -> Tensors:
        """Read all tensors, in the order of the file, without checking its hash."""
        return decode_tensors(self.path.read_bytes())

    def defect(self) -> str | None:
        """Describe what is wrong with the file (missing, truncated, damaged); None if it is as the manifest says."""
        try:
            with self.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                return self._mismatch(file.tell(), digest)
        except FileNotFoundError:
            return "is missing"

    def read_checked(self, names: Collection[str] | None = None) -> Tensors | str:
        """Read tensors, all or those of ``names``, and check the hash of the file in one reading of it.

        Returns
        -------
        The tensors by name, or the defect of the file (see `defect`).
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return "is missing"
        defect = self._mismatch(len(content), hashlib.sha256(content).hexdigest())
        if defect is not None:
            return defect
        try:
            return decode_tensors(content, names)
        except KeyError as missing:
            raise InputError(f"snapshot of step {self.step}: {missing.args[0]}") from None

    def _mismatch(self, size: int, digest: str) -> str | None:
        if size != self.bytes:
            return f"has {size:,} bytes instead of {self.bytes:,}"
        return None if digest == self.sha256 else "is damaged (its sha256 is not the one in the manifest)"
