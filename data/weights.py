"""The safetensors layout, read and written without torch.

Eight bytes hold the length of the header (little-endian), a JSON header names each tensor with type, shape and offsets, the numbers follow.
Reading it here lets one tensor of a large file cost one seek; writing is the library's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}

Header = dict[str, dict[str, Any]]
"""By name: ``dtype``, ``shape`` and ``data_offsets``, in the order of the file."""


def encode_tensors(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a safetensors file."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return bytes(save(arrays, metadata=dict(metadata) if metadata else None))


def decode_tensors(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors in the bytes of a safetensors file, by name, in the order of the file."""
    header, start = _read_header(io.BytesIO(content))
    entries = sorted(header.items(), key=lambda entry: entry[1]["data_offsets"])
    return {
        name: _as_array(entry, content[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]])
        for name, entry in entries
    }


def decode_metadata(content: bytes) -> dict[str, str]:
    """Return the metadata in the bytes of a safetensors file."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    return metadata


def read_tensor(path: Path, name: str) -> NDArray[Any]:
    """Read one tensor without reading the others; a `KeyError` lists those there are."""
    with path.open("rb") as file:
        header, start = _read_header(file)
        if name not in header:
            raise KeyError(f"{path.name} has no tensor {name!r}; it has {', '.join(header)}")
        begin, end = header[name]["data_offsets"]
        file.seek(start + begin)
        return _as_array(header[name], file.read(end - begin))


def _read_header(file: BinaryIO) -> tuple[Header, int]:
    """Return the header and the offset at which the numbers begin."""
    length = int.from_bytes(file.read(8), "little")
    header: Header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, 8 + length


def _as_array(entry: Mapping[str, Any], content: bytes) -> NDArray[Any]:
    return np.frombuffer(content, dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
