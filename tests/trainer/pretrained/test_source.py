"""Plain values are read from a pickle; anything else is refused."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from data.errors import InputError
from trainer.pretrained.source import load_pickle, read_literals


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


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    torch.save({"x": torch.zeros(10)}, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in plain.namelist():
            bomb.writestr(name, plain.read(name) + (b"\0" * 50_000_000 if name.endswith("/0") else b""))
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"is no checkpoint of torch: .* in it is compressed"):
        load_pickle(path)
    assert load_pickle(tmp_path / "plain.pt")["x"].shape == (10,)
