"""The safetensors layout without torch, and without a second copy of the weights.

Eight bytes hold the length of the header (little-endian), a JSON header names each tensor with type, shape and offsets, the numbers follow.
The library reads single tensors. It has no writer that streams, and no reader of bytes that makes no copy, so both are here; the bytes
written are those that the library writes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

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
"""The types of numbers, in the order in which the library writes tensors of different types."""

_KINDS = {np.dtype(dtype).str: kind for kind, dtype in _DTYPES.items()}


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
    described += b" " * (-len(described) % 8)  # aligns the numbers to 8 bytes
    yield len(described).to_bytes(8, "little") + described
    for name in names:
        array = np.ascontiguousarray(tensors[name], dtype=_DTYPES[kinds[name]])
        yield array.reshape(-1).view(np.uint8).data


def decode_tensors(content: bytes, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Decode the bytes of a safetensors file without a second copy of them, which the library would make.

    Parameters
    ----------
    content : all bytes of the file.
    names : of the tensors to decode. These are copies, so that the bytes can be released.

    Returns
    -------
    The tensors by name, in the order of the file; where ``names`` is None all of them, as read-only views of the bytes.

    Raises
    ------
    KeyError
        If there is no tensor of a name; the message lists those there are.
    """
    header, start = _decode_header(content)
    header.pop("__metadata__", None)
    if names is not None:
        _check_names(names, header)
        return {name: _view(content, start, header[name]).copy() for name in names}
    entries = sorted(header.items(), key=lambda entry: entry[1]["data_offsets"])
    return {name: _view(content, start, entry) for name, entry in entries}


def decode_metadata(content: bytes) -> dict[str, str]:
    """Decode the metadata in the bytes of a safetensors file."""
    metadata: dict[str, str] = _decode_header(content)[0].get("__metadata__", {})
    return metadata


def read_tensor(path: Path, name: str) -> NDArray[Any]:
    """Read one tensor of a file without reading the others."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        _check_names([name], file.keys())
        tensor: NDArray[Any] = file.get_tensor(name)
    return tensor


def _decode_header(content: bytes) -> tuple[dict[str, dict[str, Any]], int]:
    """Decode the header, and the offset at which the numbers start."""
    start = 8 + int.from_bytes(content[:8], "little")
    header: dict[str, dict[str, Any]] = json.loads(content[8:start])
    return header, start


def _check_names(names: Iterable[str], known: Collection[str]) -> None:
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise KeyError(f"it has no tensor {missing!r}; it has {', '.join(known)}")


def _view(content: bytes, start: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    first, end = entry["data_offsets"]
    numbers = memoryview(content)[start + first : start + end]
    return np.frombuffer(numbers, dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
