"""What the browser unpacks is what was packed, up to the quantisation."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from viz.player.panels import Pending, Samples
from viz.player.serialization import (
    LEVELS,
    MISSING,
    pack,
    pack_choices,
    pack_texts,
    quantize_layout,
    quantize_shares,
    to_json,
    with_version,
)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32"])
def test_an_array_is_packed_little_endian_with_its_shape(dtype: str) -> None:
    values = np.arange(6, dtype=dtype).reshape(2, 3)
    packed = pack(values.astype(np.dtype(dtype).newbyteorder(">")))
    unpacked = np.frombuffer(base64.b64decode(packed["data"]), np.dtype(packed["type"]).newbyteorder("<"))
    np.testing.assert_array_equal(unpacked.reshape(packed["shape"]), values)


@given(arrays(float, (2, 5, 2), elements=st.floats(-100, 100)))
def test_levels_keep_the_places_up_to_half_a_level(layout: np.ndarray) -> None:
    low = layout.reshape(-1, 2).min(axis=0)
    unit = np.ptp(layout.reshape(-1, 2), axis=0).max() / LEVELS
    levels = quantize_layout(layout)
    assert levels.max() <= LEVELS
    np.testing.assert_allclose(low + levels * unit, layout, atol=0.51 * unit + 1e-9)


def test_items_without_a_place_are_missing() -> None:
    layout = np.array([[[0.0, 1.0], [np.nan, 2.0]]])
    assert (quantize_layout(layout)[0, 1] == MISSING).all()
    assert (quantize_layout(np.full((2, 3, 2), np.nan)) == MISSING).all()


def test_shares_are_clipped_and_what_is_not_finite_is_0() -> None:
    assert quantize_shares(np.array([-1.0, np.nan, 2.0])).tolist() == [0, 0, 255]


def test_numbers_that_are_not_finite_are_null() -> None:
    assert json.dumps(to_json({"a": 1} | {}), allow_nan=False) == '{"a": 1}'
    assert to_json([float("nan"), np.float64("inf"), 1.5]) == [None, None, 1.5]


def test_the_line_over_a_panel_leaves_the_version_of_its_content() -> None:
    panel = Samples("sample", "sample", "title", texts=[])
    waiting = replace(panel, pending=Pending("measuring", 0.5, "Cancel"))
    assert panel.to_json()["version"] == waiting.to_json()["version"]
    assert panel.to_json()["pending"] is None
    assert waiting.to_json()["pending"] == {"text": "measuring", "done": 0.5, "cancel": "Cancel", "start": ""}


def test_the_version_changes_with_the_content() -> None:
    one, same, other = (with_version({"a": value})["version"] for value in (1, 1, 2))
    assert one == same != other


def test_the_version_changes_with_every_part_of_the_content_and_with_nothing_else() -> None:
    contents: list[dict[str, object]] = [
        {"a": "bc"},
        {"ab": "c"},
        {"a": ["b", "c"]},
        {"a": ["bc"]},
        {"a": [["b"], "c"]},
        {"a": {"b": "c"}},
        {"a": 1},
        {"a": 1.5},
        {"a": True},
        {"a": None},
        {"a": "1"},
        {},
    ]
    assert len({with_version(content)["version"] for content in contents}) == len(contents)
    assert with_version({"a": 1, "b": 2})["version"] == with_version({"b": 2, "a": 1})["version"]


@given(st.lists(st.text(max_size=5), max_size=6))
def test_texts_are_unpacked_as_they_were(texts: list[str]) -> None:
    packed = pack_texts(texts)
    if isinstance(packed, str) and texts:
        assert packed.split("\0") == texts
    elif texts:
        assert packed == texts


@given(st.lists(st.sampled_from(["#111111", "#222222", "#333333"]), max_size=9))
def test_choices_are_unpacked_as_they_were(texts: list[str]) -> None:
    packed = pack_choices(texts)
    index = np.frombuffer(base64.b64decode(packed["index"]["data"]), packed["index"]["type"])
    assert [packed["kinds"][i] for i in index] == texts
