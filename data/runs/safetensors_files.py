"""The safetensors layout, read and written without torch.

Eight bytes hold the length of the header (little-endian), a JSON header names each tensor with type, shape and offsets, the numbers follow.
Reading it here lets one tensor of a large file cost one seek, and writing it piece by piece costs no second copy of the weights; the bytes
are those that the library writes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_DTYPES = {
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
    "F32": "<f4",
    "U32": "<u4",
    "I32": "<i4",
    "F16": "<f2",
    "U16": "<u2",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
"""The types of numbers, in the order in which the library lays down tensors of different types."""

_KINDS = {np.dtype(dtype).str: kind for kind, dtype in _DTYPES.items()}

Header = dict[str, dict[str, Any]]
"""By name: ``dtype``, ``shape`` and ``data_offsets``, in the order of the file."""


def encode_tensors(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a safetensors file."""
    return b"".join(stream_tensors(tensors, metadata))


def stream_tensors(
    tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a safetensors file piece by piece, one tensor at a time.

    Examples
    --------
    >>> decode_tensors(b"".join(stream_tensors({"ones": np.ones(3, np.float32)})))
    {'ones': array([1., 1., 1.], dtype=float32)}
    """
    kinds = {name: _KINDS[array.dtype.newbyteorder("<").str] for name, array in tensors.items()}
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    names = sorted(tensors, key=lambda name: (list(_DTYPES).index(kinds[name]), name))
    for name in names:
        start, end = end, end + tensors[name].nbytes
        header[name] = {"dtype": kinds[name], "shape": list(tensors[name].shape), "data_offsets": [start, end]}
    described = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    described += b" " * (-len(described) % 8)  # so that the numbers begin where a machine likes to read them
    yield len(described).to_bytes(8, "little") + described
    for name in names:
        array = np.ascontiguousarray(tensors[name], dtype=_DTYPES[kinds[name]])
        yield array.reshape(-1).view(np.uint8).data


def decode_tensors(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors in the bytes of a safetensors file, by name, in the order of the file."""
    header, start = _read_header(io.BytesIO(content))
    entries = sorted(header.items(), key=lambda entry: entry[1]["data_offsets"])
    numbers = memoryview(content)[start:]  # the arrays look at the bytes themselves: there is no second copy
    return {name: _as_array(entry, numbers[slice(*entry["data_offsets"])]) for name, entry in entries}


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


def _as_array(entry: Mapping[str, Any], content: bytes | memoryview) -> NDArray[Any]:
    return np.frombuffer(content, dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
