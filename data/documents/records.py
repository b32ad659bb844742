"""The records of CSV, TSV and JSONL files, each with its line number, so that error messages can name it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data.errors import InputError

NumberedRecord = tuple[int, Mapping[str, Any]]
"""The line of the file at which a record starts, and the record."""

SUFFIXES = (".csv", ".tsv", ".jsonl")


def read_rows(path: Path) -> Iterator[NumberedRecord]:
    """Yield the records of a CSV, TSV or JSONL file, each with its line number.

    Raises
    ------
    InputError
        If there is no such file, it is not UTF-8 or has another suffix, it holds no records, or a line does not fit the head; the
        message names the line.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path} is not a table of examples: give a file that ends in {', '.join(SUFFIXES)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"there is no file {path}: give the path of a CSV, TSV or JSONL file") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder: give the path of a CSV, TSV or JSONL file in it") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8: save it as UTF-8 and try again") from None
    read = _objects if path.suffix.lower() == ".jsonl" else _table
    rows = list(read(text, path))
    if not rows:
        raise InputError(f"{path} holds no examples: give a file with at least one below its head")
    yield from rows


def _table(text: str, path: Path) -> Iterator[NumberedRecord]:
    # Tab-separated data sets are not quoted: a quotation mark in them is part of a sentence.
    is_tsv = path.suffix.lower() == ".tsv"
    csv.field_size_limit(2**31 - 1)  # the default of 131,072 characters is less than a long chapter
    if is_tsv:
        reader = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    head: list[str] = []
    start = 1
    try:
        for fields in reader:
            line, start = start, reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            if not head:
                head = _checked_head(fields, path)
                continue
            if len(fields) != len(head):
                raise InputError(
                    f"line {line:,} of {path} has {len(fields)} fields and its head has {len(head)} "
                    f"({', '.join(head)}): correct the line{'' if is_tsv else ', or quote fields that hold a comma'}"
                )
            yield line, dict(zip(head, fields, strict=True))
    except csv.Error as error:
        raise InputError(f"line {start:,} of {path} cannot be read ({error}): correct its quotation marks") from None


def _checked_head(fields: list[str], path: Path) -> list[str]:
    head = [field.strip() for field in fields]
    twice = next((name for name in head if head.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path} has the column {twice!r} twice: rename one")
    return head


def _objects(text: str, path: Path) -> Iterator[NumberedRecord]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise InputError(f"line {number:,} of {path} is not a JSON object: each line must be one")
        yield number, record
