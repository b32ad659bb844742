"""Tables of text with a separator: CSV with comma, semicolon, tab or bar, as spreadsheets of different languages write it, and TSV.

The separator of a ``.csv`` file is found. It is that of Excel's first line ``sep=;``, if there is one. Otherwise it is the one that
splits the head, and every record into as many fields; of several, the one with the most columns, and a comma first.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.errors import InputError

SEPARATORS = (",", ";", "\t", "|")

_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|[^"\r\n])"?[,;\t| ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)


def read_delimited(text: str, path: Path) -> tuple[list[tuple[int, dict[str, Any]]], str]:
    """Read the records of a table, each with the number of its line, and the separator; an `InputError` names a line that does not fit."""
    # Tab-separated data sets are not quoted: a quotation mark in them is part of a sentence.
    is_tsv = path.suffix.lower() == ".tsv"
    given = _SEPARATOR_LINE.match(text)
    first, body = (2, text[given.end() :]) if given else (1, text)
    separator = given[1].replace("\\t", "\t") if given else "\t" if is_tsv else find_separator(body)
    rows: list[tuple[int, dict[str, Any]]] = []
    head: list[str] | None = None
    for line, fields in _records(body, separator, path, quoted=not is_tsv, first=first):
        if head is None:
            head = _checked_head(fields, path)
        elif len(fields) != len(head):
            raise InputError(
                f"line {line:,} of {path} has {len(fields)} fields and its head has {len(head)} "
                f"({', '.join(head)}; separator {separator!r}): correct the line"
                f"{'' if is_tsv else ', or quote fields that hold the separator'}"
            )
        else:
            rows.append((line, dict(zip(head, fields, strict=True))))
    return rows, separator


def find_separator(text: str) -> str:
    r"""Find the separator of a table by its head and its records; a comma if nothing separates its head.

    Examples
    --------
    >>> find_separator("id;text\n1;Yes, it is\n"), find_separator('id,"a;b"\n1,x\n')
    (';', ',')
    """
    widths = {separator: _widths(text, separator) for separator in SEPARATORS}
    found = {separator: each for separator, each in widths.items() if each and each[0] > 1}
    even = {separator: each for separator, each in found.items() if len(set(each)) == 1}
    return max(even or found, key=lambda separator: widths[separator][0], default=",")


def _widths(text: str, separator: str) -> list[int]:
    """Count the fields of each record, up to the first that cannot be read, which counts as 0."""
    widths: list[int] = []
    with contextlib.suppress(InputError):
        for _, fields in _records(text, separator, Path()):
            widths.append(len(fields))
        return widths
    return [*widths, 0]


def _records(
    text: str, separator: str, path: Path, *, quoted: bool = True, first: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line, counted from ``first``, and the fields of each record that is not empty."""
    csv.field_size_limit(2**31 - 1)  # the default of 131,072 characters is less than a long chapter
    if quoted:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    else:
        reader = csv.reader(io.StringIO(text), delimiter=separator, quoting=csv.QUOTE_NONE)
    start = first
    try:
        for fields in reader:
            line, start = start, reader.line_num + first
            if any(field.strip() for field in fields):
                yield line, fields
    except csv.Error as error:
        raise InputError(f"line {start:,} of {path} cannot be read ({error}): correct its quotation marks") from None


def _checked_head(fields: list[str], path: Path) -> list[str]:
    head = [field.strip() for field in fields]
    twice = next((name for name in head if name and head.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path} has the column {twice!r} twice: rename one")
    held = [separator for separator in SEPARATORS if separator in head[0]]
    if len(head) == 1 and held:
        only = f"the only column of {path} is called {head[0]!r}, which holds the separator {held[0]!r}"
        raise InputError(f"{only}: save it as .csv without quotation marks around whole lines, or rename the column")
    return head
