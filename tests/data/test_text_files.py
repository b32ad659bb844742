"""Text files of the user: a byte-order mark is no text, and what is no UTF-8 text is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.corpora.catalog import load_corpus
from data.errors import InputError
from data.text_files import TABLE_SUFFIXES, read_text

RECORDS = st.lists(
    st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.none() | st.lists(st.text()), min_size=1),
    min_size=1,
    max_size=4,
)
LAYOUTS = {
    "a list": json.dumps,
    "a pretty list": lambda records: json.dumps(records, indent=2, ensure_ascii=False),
    "an object of a list": lambda records: json.dumps({"data": records}),
    "lines": lambda records: "\n".join(map(json.dumps, records)),
    "lines after a title": lambda records: "# title\n" + "\r\n".join(map(json.dumps, records * 2)),
    "pretty objects": lambda records: "\n".join(json.dumps(record, indent=1) for record in records),
    "texts": lambda records: json.dumps([str(record) for record in records]),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("layout", LAYOUTS)
@given(records=RECORDS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_that_is_called_a_text_is_refused_whatever_its_layout(
    layout: str, records: list[object], tmp_path: Path
) -> None:
    path = tmp_path / "some.txt"
    path.write_text(LAYOUTS[layout](records), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"some\.txt holds JSON, not a plain text, .* renaming it to some\.json"
    ) as found:
        load_corpus(path)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    "text",
    [
        "[Enter Hamlet]\nTo be.\n",
        "{a}\n{b}\n",
        '{"a": 1} is JSON\nand this is prose\n',
        "42",
        '"A quotation."',
        "[1, 2]",
    ],
)
def test_a_text_with_brackets_is_still_a_text(text: str, tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text(text, encoding="utf-8")
    assert load_corpus(path).text == text


@pytest.mark.parametrize("suffix", [*TABLE_SUFFIXES, ".CSV"])
def test_a_table_is_no_plain_text(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"some{suffix}"
    path.write_text("id;text\n1;a\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"is a table, and a plain text is read here: .* python -m trainer\.finetune"):
        load_corpus(path)


def test_a_line_of_excel_makes_a_text_a_table(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(b"\xef\xbb\xbfSEP=;\r\nid;text\r\n")
    with pytest.raises(InputError, match=r"its first line is SEP=;\): rename it to \.csv"):
        load_corpus(path)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("não".encode("cp1252"), r"is not UTF-8 \(byte 0xe3 at offset 1\): save it as UTF-8"),
        ("\ufeffa".encode() + b"\xff", r"\(byte 0xff at offset 4\)"),
        ("some text".encode("utf-16"), "is not UTF-8 but UTF-16: save it as UTF-8"),
        ("some text".encode("utf-16-le"), "is not UTF-8 but UTF-16"),
        ("some text".encode("utf-16-be"), "is not UTF-8 but UTF-16"),
        (b"PK\x03\x04\x14", "ZIP archive, as .xlsx"),
        (b"\x1f\x8b\x08", "compressed by gzip: unpack it"),
    ],
)
def test_what_is_no_utf_8_is_refused_in_one_line(raw: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=message) as found:
        read_text(path)
    assert "\n" not in str(found.value)


def test_a_byte_order_mark_is_left_out_and_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes("\ufeffé\ufeff\x00".encode())
    assert read_text(path) == "é\ufeff\x00"
    with pytest.raises(InputError, match=r"there is no file .*none\.txt: give a TOML file$"):
        read_text(tmp_path / "none.txt", "give a TOML file")
    with pytest.raises(InputError, match="is a folder"):
        read_text(tmp_path)
