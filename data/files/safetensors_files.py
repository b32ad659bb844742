"""The safetensors layout without torch, and without a second copy of the weights.

Eight bytes hold the length of the header (little-endian), a JSON header names each tensor with type, shape and offsets, the numbers follow.
The library reads single tensors. It has no writer that streams, and no reader of bytes that makes no copy, so both are here; the bytes
written are those that the library writes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from data.files.json_files import DamagedError, parse_json
from data.files.regular_files import open_regular, size_of
from data.files.remote_files import is_remote, read_range, size_at

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

MOST_HEADER_BYTES = 100_000_000
"""The library's own limit."""

_Natural = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class _Entry(msgspec.Struct):
    """What the header says of a tensor; the offsets count from the end of the header."""

    dtype: str
    shape: list[_Natural]
    data_offsets: tuple[_Natural, _Natural]


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
    DamagedError
        If the header does not describe these bytes.
    KeyError
        If there is no tensor of a name; the message lists those there are.
    """
    entries, start, _ = _decode_header(content)
    if names is not None:
        _check_names(names, entries)
        return {name: _view(content, start, entries[name]).copy() for name in names}
    in_order = sorted(entries.items(), key=lambda entry: entry[1].data_offsets)
    return {name: _view(content, start, entry) for name, entry in in_order}


def decode_metadata(content: bytes) -> dict[str, str]:
    """Decode the metadata in the bytes of a safetensors file; the errors are those of `decode_tensors`."""
    return _decode_header(content)[2]


def decode_shapes(content: bytes) -> dict[str, tuple[int, ...]]:
    """Decode the shapes of all tensors in the bytes of a safetensors file; the errors are those of `decode_tensors`."""
    return {name: tuple(entry.shape) for name, entry in _decode_header(content)[0].items()}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes of all tensors of a file from its header, without reading the numbers.

    Raises
    ------
    DamagedError
        If the header does not describe a file of this size.
    UnsafeFileError, OSError
        If the file is not regular, or cannot be read.
    """
    with open_regular(path) as file:
        size = size_of(path, file)
        start = file.read(8)
        header = file.read(min(int.from_bytes(start, "little"), MOST_HEADER_BYTES, size))
    return {name: tuple(entry.shape) for name, entry in _decode_header(start + header, size)[0].items()}


def integers(content: bytes) -> list[str]:
    """List the tensors in the bytes of a safetensors file that hold integers or truth values, which weights never are."""
    return [name for name, entry in _decode_header(content)[0].items() if not entry.dtype.startswith("F")]


def read_tensor(path: Path, name: str) -> NDArray[Any]:
    """Read one tensor of a file without reading the others.

    Raises
    ------
    DamagedError
        If the library cannot read the file.
    KeyError
        If there is no tensor of this name; the message lists those there are.
    UnsafeFileError, OSError
        If the file is not regular, or cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    if is_remote(path):
        return read_tensors(path, [name])[name]
    open_regular(path).close()
    try:
        with safe_open(path, framework="numpy") as file:
            _check_names([name], file.keys())
            tensor: NDArray[Any] = file.get_tensor(name)
    except SafetensorError as error:
        raise DamagedError(str(error)) from None
    return tensor


def read_tensors(path: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Read some tensors of a file by ranges: the header, and the numbers of these tensors; the errors are those of `read_tensor`."""
    size = size_at(path)
    length = int.from_bytes(read_range(path, 0, 8)[:8], "little")
    if length > min(MOST_HEADER_BYTES, size - 8):
        raise DamagedError(f"its header of {length:,} bytes does not fit into its {size:,} bytes")
    entries, _ = _parse_header(read_range(path, 8, 8 + length), size - 8 - length)
    _check_names(names, entries)
    found = {}
    for name in names:
        first, last = entries[name].data_offsets
        numbers = read_range(path, 8 + length + first, 8 + length + last)
        found[name] = np.frombuffer(numbers, dtype=_DTYPES[entries[name].dtype]).reshape(entries[name].shape)
    return found


def _decode_header(content: bytes, size: int | None = None) -> tuple[dict[str, _Entry], int, dict[str, str]]:
    """Decode and check the header; return what it says of each tensor, the offset at which the numbers start, and the metadata.

    ``size`` is that of the file in bytes, if ``content`` is only its start.
    """
    length, room = int.from_bytes(content[:8], "little"), (len(content) if size is None else size) - 8
    if room < 0 or length > min(MOST_HEADER_BYTES, room):
        raise DamagedError(f"its header of {length:,} bytes does not fit into its {max(0, room):,} bytes")
    entries, described = _parse_header(content[8 : 8 + length], room - length)
    return entries, 8 + length, described


def _parse_header(content: bytes, n_bytes: int) -> tuple[dict[str, _Entry], dict[str, str]]:
    """Parse a header, and check it against the number of bytes that follow it; return what it says of each tensor, and the metadata."""
    header = parse_json(content, dict[str, dict[str, Any]])
    metadata = header.pop("__metadata__", {})
    try:
        entries = msgspec.convert(header, dict[str, _Entry])
        described: dict[str, str] = msgspec.convert(metadata, dict[str, str])
    except msgspec.ValidationError as error:
        raise DamagedError(f"its header is wrong: {error}") from None
    _check_offsets(entries, n_bytes)
    return entries, described


def _check_offsets(entries: Mapping[str, _Entry], n_bytes: int) -> None:
    """Check that the tensors lie one after the other, each with the bytes of its shape, and fill the file."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda entry: entry[1].data_offsets):
        if entry.dtype not in _DTYPES:
            raise DamagedError(f"its tensor {name!r} has the type {entry.dtype!r}; known are {', '.join(_DTYPES)}")
        first, last = entry.data_offsets
        if first != end or last - first != math.prod(entry.shape) * np.dtype(_DTYPES[entry.dtype]).itemsize:
            raise DamagedError(f"its tensor {name!r} does not have the bytes that its shape {entry.shape} needs")
        end = last
    if end != n_bytes:
        raise DamagedError(f"its tensors have {end:,} bytes, and it holds {n_bytes:,}")


def _check_names(names: Iterable[str], known: Collection[str]) -> None:
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise KeyError(f"it has no tensor {missing!r}; it has {', '.join(known)}")


def _view(content: bytes, start: int, entry: _Entry) -> NDArray[Any]:
    first, end = entry.data_offsets
    numbers = memoryview(content)[start + first : start + end]
    return np.frombuffer(numbers, dtype=_DTYPES[entry.dtype]).reshape(entry.shape)
