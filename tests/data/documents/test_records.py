"""Records of tables and JSON: whatever a spreadsheet or a library writes is read back, and what is ambiguous is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.documents.records import read_rows
from data.documents.sources import read_documents
from data.errors import InputError

CELLS = st.text(st.sampled_from('ab,;|\t"\n ãé€'), max_size=8)
SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WRITINGS = {
    "a list": ("a.json", json.dumps),
    "a list with a mark": ("a.json", lambda records: "\ufeff" + json.dumps(records, indent=2)),
    "an object of a list": ("a.JSON", lambda records: json.dumps({"version": 1, "data": records})),
    "lines": ("a.jsonl", lambda records: "\n".join(map(json.dumps, records))),
    "lines of Windows": ("a.NDJSON", lambda records: "\ufeff" + "\r\n\r\n".join(map(json.dumps, records)) + "\r\n"),
    "lines called .json": ("a.json", lambda records: "\n".join(map(json.dumps, records * 2))),
}


def texts_of(path: Path) -> list[dict[str, Any]]:
    return [dict(record) for _, record in read_rows(path).rows]


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5),
    separator=st.sampled_from(",;\t|"),
    mark=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
    first_line=st.sampled_from(["", "sep={}", '"sep={}"', "SEP={}"]),
)
@SHARED
def test_a_table_is_read_back_whatever_separates_its_fields(
    rows: list[tuple[str, str, str]], separator: str, mark: bool, line_end: str, first_line: str, tmp_path: Path
) -> None:
    box = io.StringIO(newline="")
    writer = csv.writer(box, delimiter=separator, lineterminator=line_end)
    writer.writerows([("id", "text", "note"), *rows])
    first = first_line.format(separator) + line_end if first_line else ""
    path = tmp_path / "some.csv"
    path.write_bytes((mark * "\ufeff" + first + box.getvalue()).encode())
    kept = [row for row in rows if any(cell.strip() for cell in row)]  # spreadsheets write rows without anything
    if not kept:
        with pytest.raises(InputError, match="holds no examples"):
            read_rows(path)
        return
    assert texts_of(path) == [dict(zip(("id", "text", "note"), row, strict=True)) for row in kept]
    assert read_rows(path).layout == f"separator {separator!r}"


@pytest.mark.parametrize("layout", WRITINGS)
def test_json_is_read_whatever_its_layout(layout: str, tmp_path: Path) -> None:
    records = [{"text": "a\nb", "n": 1}, {"text": "não", "n": None}]
    name, write = WRITINGS[layout]
    path = tmp_path / name
    path.write_text(write(records), encoding="utf-8", newline="")
    assert texts_of(path)[:2] == records
    path.write_text(write(["a", "b"]), encoding="utf-8")
    assert texts_of(path)[:2] == [{"text": "a"}, {"text": "b"}]


def test_parquet_is_read_without_the_index_of_pandas(tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    pd.DataFrame({"text": ["a", None], "answers": [["x"], ["y", "z"]]}, index=["u", "v"]).to_parquet(path)
    assert texts_of(path) == [{"text": "a", "answers": ["x"]}, {"text": None, "answers": ["y", "z"]}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            "id;text\n1;a\n2;b;c\n",
            r"line 3 of .*a\.csv has 3 fields and its head has 2 \(id, text; separator ';'\)",
        ),
        ("a.csv", "sep=;\nid;text\n1;a\n2;b;c\n", "line 4 of .* has 3 fields"),
        ("a.csv", "sep=;\nid,text\n1,a\n", "only column of .* is called 'id,text', which holds the separator ','"),
        (
            "a.csv",
            '"id;text"\n"1;a"\n',
            "only column of .* is called 'id;text', .* without quotation marks around whole",
        ),
        ("a.tsv", "id,text\n1,a\n", "only column of .* is called 'id,text'"),
        ("a.csv", "id;text\n", "holds no examples"),
        ("a.csv", 'sep=;\nid;text\n1;"a\n', "line 3 of .* quotation marks"),
        ("a.csv", 'id;text\n1;"a\n', "line 2 of .* quotation marks"),
        ("a.csv", "text;id;text\na;1;b\n", "has the column 'text' twice"),
        ("a.json", '{"text": "a"}\n{"text": 3}\n[1]\n', "several JSON values one after the other"),
        (
            "a.json",
            '{\n"text": "a"\n}\n{\n"text": "b"\n}\n',
            "several JSON values one after the other: put them into one list",
        ),
        ("a.json", '{"train": [{"text": "a"}], "test": [{"text": "b"}]}', r"an object with 2 lists \(train, test\)"),
        ("a.json", '{"text": "a"}', "an object with no list; it has text"),
        ("a.json", "[1, 2]", "entry 1 of .* is neither an object nor a text"),
        ("a.json", '[{"text": "a"', r"is not JSON \(Expecting"),
        ("a.json", "7", "holds int and no records"),
        ("a.json", "", "holds no examples"),
        ("a.jsonl", '[{"text": "a"}]\n', "line 1 of .* one list of objects is a .json file"),
        ("a.ndjson", '{\n"text": "a"\n}\n', "line 1 of .* is not a JSON object: each line must be one"),
    ],
)
def test_records_that_cannot_be_right_are_refused_in_one_line(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as found:
        read_rows(path)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("first", ["The cat sat on the mat.", "a cat and a dog", "12", "same"])
def test_a_column_without_a_name_does_not_lose_its_first_text(first: str, tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text(f"{first}\nother\nsame\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"the first line of .* a text, .*: put a line with the word text before it"):
        read_documents(str(path))
    path.write_text(f"text\n{first}\nother\nsame\n", encoding="utf-8")
    assert first in read_documents(str(path)).texts


def test_the_separator_of_a_comma_in_the_head_is_the_one_that_fits_every_record(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("id;name, first;text\n1;a;b, c\n2;d;e\n", encoding="utf-8")
    assert read_documents(str(path)).texts == ("b, c", "e")
    path.write_text("id,text\n1,a;b\n2,c;d\n", encoding="utf-8")
    assert read_documents(str(path)).texts == ("a;b", "c;d")
