"""The safetensors layout against the library that defines it: the same bytes out, the same numbers in."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load, save

from data.files.atomic_files import write_bytes
from data.files.safetensors_files import decode_metadata, decode_tensors, read_tensor, stream_tensors

TYPES = ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"]
SOME = st.sampled_from(TYPES).flatmap(
    lambda kind: arrays(np.dtype(kind), array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
)
NAMES = st.text(st.sampled_from('az.0_é"\\ \n'), min_size=1, max_size=5)
METADATA = st.none() | st.dictionaries(NAMES, NAMES, min_size=1, max_size=1)


@given(st.dictionaries(NAMES, SOME, max_size=5), METADATA)
def test_the_bytes_are_those_of_the_library_and_come_back(
    tensors: dict[str, Any], metadata: dict[str, str] | None
) -> None:
    content = b"".join(stream_tensors(tensors, metadata))
    assert content == save(tensors, metadata)
    assert decode_metadata(content) == (metadata or {})
    for read in (decode_tensors(content), load(content)):
        assert read.keys() == tensors.keys()
        for name, array in tensors.items():
            assert read[name].dtype == array.dtype
            np.testing.assert_array_equal(read[name], array)


def test_what_lies_otherwise_in_memory_is_laid_down_in_order(tmp_path: Path) -> None:
    table = np.arange(12, dtype=">f4").reshape(3, 4)
    tensors = {"turned": table.T, "every other": table[:, ::2]}
    size, _ = write_bytes(tmp_path / "made.safetensors", stream_tensors(tensors))
    assert size == (tmp_path / "made.safetensors").stat().st_size
    for name, array in tensors.items():
        np.testing.assert_array_equal(read_tensor(tmp_path / "made.safetensors", name), array)


def test_writing_takes_the_memory_of_one_tensor(tmp_path: Path) -> None:
    tensors = {
        str(i): np.ones((500, 500), np.float32).T for i in range(20)
    }  # a megabyte each, to be laid down in order
    tracemalloc.start()
    write_bytes(tmp_path / "made.safetensors", stream_tensors(tensors))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1e6 < peak < 3e6


def test_a_type_that_the_layout_has_not_is_refused() -> None:
    with pytest.raises(KeyError):
        next(stream_tensors({"text": np.array(["a"])}))


def test_pieces_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> Any:
        yield b"begun"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_bytes(tmp_path / "file", broken())
    assert list(tmp_path.iterdir()) == []
