"""The records of a file (CSV, TSV, JSON, JSON lines or Parquet), each with its place, so that error messages can name it.

It is the one reader of records: for documents (`data.documents.sources`) and for tasks (`data.tasks.task_files`).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.documents.delimited import read_delimited
from data.errors import InputError, list_names
from data.text_files import TABLE_SUFFIXES, read_text

PlacedRecord = tuple[str, Mapping[str, Any]]
"""The place of a record in its file, such as ``line 3``, and the record."""


@dataclass(frozen=True)
class Records:
    """The records of a file, one or more; ``layout`` describes for a message how the file was read."""

    rows: tuple[PlacedRecord, ...]
    layout: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all fields, in the order of their first occurrence."""
        return tuple(dict.fromkeys(name for _, record in self.rows for name in record))


def read_rows(path: Path) -> Records:
    """Read the records of a file whose ending is one of `data.text_files.TABLE_SUFFIXES`.

    A JSON file holds a list of objects or of texts, or an object with one such list. In JSON lines, every line is an object or a text.

    Raises
    ------
    InputError
        If there is no such file, it is not UTF-8 or has another ending, it holds no records, or one does not fit; the message names
        its line.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise InputError(f"{path} is not a table of examples: give a file that ends in {', '.join(TABLE_SUFFIXES)}")
    if suffix == ".parquet":
        records = Records(_parquet(path), "Parquet")
    else:
        text = read_text(path, "give the path of a CSV, TSV, JSON or JSONL file")
        if suffix in (".csv", ".tsv"):
            rows, separator = read_delimited(text, path)
            records = Records(tuple((f"line {line:,}", each) for line, each in rows), f"separator {separator!r}")
        else:
            records = _json(text, path) if suffix == ".json" else Records(tuple(_lines(text, path)), "JSON lines")
    if not records.rows:
        raise InputError(f"{path} holds no examples: give a file with at least one, after its head if it is a table")
    return records


def _lines(text: str, path: Path) -> Iterator[PlacedRecord]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                record = _record(json.loads(line))
            except (ValueError, RecursionError):
                record = None
            if record is None:
                hint = "; one list of objects is a .json file" if number == 1 and line.lstrip()[0] == "[" else ""
                raise InputError(f"line {number:,} of {path} is not a JSON object: each line must be one{hint}")
            yield f"line {number:,}", record


def _json(text: str, path: Path) -> Records:
    try:
        value = json.loads(text) if text.strip() else []
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise InputError(f"{path} is not JSON ({error}): correct it, or save it as CSV") from None
        with contextlib.suppress(InputError):
            return Records(tuple(_lines(text, path)), "JSON lines")
        several = f"{path} holds several JSON values one after the other"
        raise InputError(f"{several}: put them into one list, or write each on a line and call it .jsonl") from None
    if isinstance(value, dict):
        lists = [name for name, each in value.items() if isinstance(each, list) and each]
        if len(lists) != 1:
            held = f"{len(lists)} lists ({list_names(lists)})" if lists else f"no list; it has {list_names(value)}"
            raise InputError(f"{path} is an object with {held}: give a list of objects, or an object with one")
        value = value[lists[0]]
    if not isinstance(value, list):
        raise InputError(f"{path} holds {type(value).__name__} and no records: give a list of objects")
    rows = [(f"entry {number:,}", _record(each)) for number, each in enumerate(value, 1)]
    if wrong := next((place for place, record in rows if record is None), None):
        raise InputError(f"{wrong} of {path} is neither an object nor a text: give a list of objects")
    return Records(tuple((place, record) for place, record in rows if record is not None), "a JSON list")


def _record(value: object) -> Mapping[str, Any] | None:
    """Take a JSON value as a record, a text as that of the field ``text``; None if it is neither."""
    return value if isinstance(value, dict) else {"text": value} if isinstance(value, str) else None


def _parquet(path: Path) -> tuple[PlacedRecord, ...]:
    from pyarrow import parquet

    if not path.is_file():
        raise InputError(f"there is no file {path}: give the path of a Parquet file")
    try:
        table: Any = parquet.read_table(path)  # type: ignore[no-untyped-call]
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({str(error).splitlines()[0]})") from None
    names = [name for name in table.column_names if not name.startswith("__index_level_")]  # the index of pandas
    return tuple((f"row {number:,}", record) for number, record in enumerate(table.select(names).to_pylist(), 1))
