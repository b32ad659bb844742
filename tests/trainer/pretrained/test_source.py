"""Plain values are read from a pickle; anything else is refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from trainer.pretrained.source import read_literals


@pytest.mark.parametrize("content", [b"]K\x01K\x02s.", b"}(K\x01e.", b"e.", b"junk"])
def test_a_pickle_with_opcodes_that_do_not_fit_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "meta.pkl").write_bytes(content)
    with pytest.raises(InputError, match=r"meta\.pkl is no pickle of plain values"):
        read_literals(tmp_path / "meta.pkl")


@pytest.mark.parametrize(
    "value", [{"a": [1, -2, 70000, 2**40], "b": {"c": "dé"}}, {}, [], "text", {1: {2: 3}}, [["a"], ["a"]], [0.5]]
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_plain_values_are_read_as_they_were_written(value: Any, protocol: int, tmp_path: Path) -> None:
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(value, protocol=protocol))
    assert read_literals(tmp_path / "plain.pkl") == value
