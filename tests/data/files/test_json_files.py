"""JSON is checked before it is used, and lines carry a checksum."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.files.atomic_files import append_line, encode_line
from data.files.json_files import DamagedError, has_cut_line, parse_json, parse_line, read_lines
from data.runs.schema import MetricsLine

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=4).filter(lambda r: "crc32" not in r)


@given(RECORDS)
def test_a_line_is_read_as_it_was_written(record: dict[str, Any]) -> None:
    assert parse_line(encode_line(record)[:-1]) == record


@given(RECORDS, st.data())
def test_a_changed_byte_never_changes_a_value_without_a_word(record: dict[str, Any], data: st.DataObject) -> None:
    line = bytearray(encode_line(record)[:-1])
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    found = parse_line(bytes(line))
    assert found is None or {name: found.get(name) for name in record} == record


def test_the_checksum_is_that_of_the_line_before_it() -> None:
    line = encode_line({"step": 5, "text": "é"})
    described, _, rest = line.rpartition(b', "crc32": "')
    assert int(rest[:8], 16) == zlib.crc32(described)
    assert json.loads(line)["text"] == "é"


def test_a_line_of_an_earlier_version_has_no_checksum_and_is_read() -> None:
    assert parse_line(b'{"step": 5}') == {"step": 5}


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b"{", b"\xff", b"1" * 5000, b"[1]", b"null", b'"a"']
)
def test_what_is_no_object_is_damaged(content: bytes) -> None:
    with pytest.raises(DamagedError):
        parse_json(content, dict)
    assert parse_line(content) is None


def test_the_fault_is_named_with_its_place() -> None:
    class Point(msgspec.Struct):
        x: int

    with pytest.raises(DamagedError, match=r"Expected `int`, got `str` - at `\$\[0\]\.x`"):
        parse_json(b'[{"x": "1"}]', list[Point])


def test_damaged_lines_are_named_together_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    path.parent.mkdir()
    for step in range(5):
        append_line(path, {"step": step, "val_loss": 1.0})
    lines = path.read_bytes().split(b"\n")
    lines[1], lines[3] = b'{"step": -1}', b"nonsense"
    path.write_bytes(b"\n".join(lines))
    with pytest.warns(UserWarning, match=r"lines 2, 4 of metrics.jsonl in run 'run' are damaged: they are left out"):
        assert [record["step"] for record in read_lines(path, MetricsLine)] == [0, 2, 4]


def test_a_line_after_one_that_was_cut_is_not_joined_to_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    path.parent.mkdir()
    append_line(path, {"step": 1})
    path.write_bytes(path.read_bytes() + b'{"step": 2, "val')
    assert has_cut_line(path)
    append_line(path, {"step": 3})
    assert not has_cut_line(path)
    assert read_lines(path) == [{"step": 1}, {"step": 3}]


def test_a_damaged_last_line_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    path.parent.mkdir()
    append_line(path, {"step": 1})
    path.write_bytes(path.read_bytes().replace(b'"step": 1', b'"step": 2')[:-1])
    append_line(path, {"step": 3})
    with pytest.warns(UserWarning, match=r"line 1 of metrics.jsonl in run 'run' is damaged"):
        assert [record["step"] for record in read_lines(path)] == [3]


def test_a_file_with_a_second_name_elsewhere_does_not_grow_there(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b'{"step": 1}\n')
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "manifest.jsonl"
    path.hardlink_to(other)
    append_line(path, {"step": 2})
    assert other.read_bytes() == b'{"step": 1}\n'
    assert [record["step"] for record in read_lines(path)] == [1, 2]
