"""The format in which a scene is sent to the browser.

Arrays are sent as base64 of their bytes: places as uint16 levels between the limits of the whole layout, weights and trust as uint8 for
0 to 1. Every panel carries a hash of its content, so that the browser updates only the panels that have changed.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack(values: NDArray[Any]) -> dict[str, Any]:
    """Pack an array for JSON: ``type``, ``shape`` and base64 of its little-endian bytes.

    Examples
    --------
    >>> pack(np.array([[0, 255]], dtype=np.uint8))
    {'type': 'uint8', 'shape': [1, 2], 'data': 'AP8='}
    """
    array = np.ascontiguousarray(values, dtype=np.float32 if values.dtype.kind == "f" else values.dtype)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "type": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(little.tobytes()).decode("ascii"),
    }


MISSING, LEVELS = 65535, 65534


def quantize_layout(layout: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Quantise places (step, item, axis) to integers from 0 to `LEVELS`, with one unit for all axes; `MISSING` where there is none.

    A screen shows about a fiftieth of these levels, so the plot can be magnified many times before they are visible.

    Examples
    --------
    >>> quantize_layout(np.array([[[0.0, 1.0], [2.0, 1.5], [np.nan, np.nan]]])).tolist()
    [[[0, 0], [65534, 16384], [65535, 65535]]]
    """
    flat = layout.reshape(-1, layout.shape[-1]).astype(np.float64)
    there = flat[np.isfinite(flat).all(axis=1)]
    if not len(there):
        return np.full(layout.shape, MISSING, dtype=np.uint16)
    low = there.min(axis=0)
    unit = float((there.max(axis=0) - low).max()) / LEVELS or 1.0
    missing = ~np.isfinite(layout).all(axis=-1, keepdims=True)
    found = np.rint((np.where(missing, low, layout) - low) / unit)
    return np.where(missing, MISSING, found).astype(np.uint16)


def quantize_causal_maps(maps: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Quantise causal attention maps (step, layer, head, query, key): 0 to 1 as 0 to 65535, in cells (step, layer, head, cell).

    Only the cells up to the diagonal are kept, row by row. Maps are read step by step, since large ones are in a memory-mapped file.

    Examples
    --------
    >>> quantize_causal_maps(np.array([[[[[1.0, 0.0], [0.25, 0.75]]]]])).tolist()
    [[[[65535, 16384, 49151]]]]
    """
    rows, columns = np.tril_indices(maps.shape[-1])
    cells = np.empty((*maps.shape[:3], len(rows)), dtype=np.uint16)
    for step in range(len(cells)):
        cells[step] = np.rint(np.clip(maps[step][..., rows, columns], 0, 1) * 65535)
    return cells


def quantize_shares(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Quantise shares from 0..1 to 0..255.

    Examples
    --------
    >>> quantize_shares(np.array([0.0, 0.5, 1.0]))
    array([  0, 128, 255], dtype=uint8)
    """
    found: NDArray[np.uint8] = np.rint(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)
    return found


SEPARATOR = "\0"


def pack_texts(texts: Sequence[str]) -> str | list[str]:
    """Join texts to one, which a browser splits much faster than it reads a list; a list if one of them holds the separator.

    Examples
    --------
    >>> pack_texts(["a", "b"])
    'a\\x00b'
    """
    return list(texts) if any(SEPARATOR in text for text in texts) else SEPARATOR.join(texts)


def pack_choices(texts: Sequence[str]) -> dict[str, Any]:
    """Pack texts of which few differ: the different ones as ``kinds``, and the index of each text in them.

    Examples
    --------
    >>> packed = pack_choices(["red", "blue", "red"])
    >>> packed["kinds"], packed["index"]["type"], packed["index"]["shape"]
    (['red', 'blue'], 'uint16', [3])
    """
    kinds = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    index = np.array([kinds[text] for text in texts], dtype=np.uint16 if len(kinds) <= 2**16 else np.uint32)
    return {"kinds": list(kinds), "index": pack(index)}


def to_json(value: Any) -> Any:
    """Convert a value to JSON types: arrays packed, dataclasses as objects, numbers that are not finite as null."""
    if isinstance(value, np.ndarray):
        return pack(value)
    if hasattr(value, "to_json"):
        return value.to_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (list, tuple)):
        return [to_json(part) for part in value]
    if isinstance(value, Mapping):
        return {key: to_json(part) for key, part in value.items()}
    return value


def with_version(content: dict[str, Any]) -> dict[str, Any]:
    """Add a hash of the content as ``version``. Of an object that has a version, that and what waits for it are its content."""
    digest = hashlib.sha256()
    _add_to(digest.update, content)
    return {**content, "version": digest.hexdigest()[:16]}


def _add_to(update: Callable[[bytes], None], value: Any) -> None:
    """Hash a JSON value part by part: large arrays are texts already, which are not to be written again."""
    if isinstance(value, str):
        update(b'"%d:' % len(value) + value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, dict):
        if "version" in value:
            value = {name: value.get(name) for name in ("version", "pending")}
        update(b"{%d:" % len(value))
        for name in sorted(value):
            _add_to(update, name)
            _add_to(update, value[name])
    elif isinstance(value, list):
        update(b"[%d:" % len(value))
        for part in value:
            _add_to(update, part)
    else:
        update(json.dumps(value, allow_nan=False).encode() + b";")
