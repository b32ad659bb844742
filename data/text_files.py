"""Text files of the user, read in one place: UTF-8 with or without a byte-order mark, and one line for whatever cannot be read as such."""

from __future__ import annotations

import json
import os
from pathlib import Path

from data.errors import InputError

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
"""Endings of files that hold records, not a plain text."""

GIVE_TEXT = "give the path of a UTF-8 text file"

_UTF_16 = "UTF-16", 'save it as UTF-8 (in Excel as "CSV UTF-8")'
_FORMATS = {
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"PK\x03\x04": ("a ZIP archive, as .xlsx and .docx files are", 'save its text as UTF-8 (in Excel as "CSV UTF-8")'),
    b"\x1f\x8b": ("compressed by gzip", "unpack it"),
}


def read_text(path: Path, give: str = GIVE_TEXT) -> str:
    """Read a text file; an `InputError` says if it is not there, a folder or not UTF-8, and ends with ``give`` in the first two cases."""
    # For an impossible name (too long, an illegal character) os.path returns False, while Path raises.
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder: {give} in it")
    if not os.path.exists(path):
        raise InputError(f"there is no file {path}: {give}")
    return decode_text(path.read_bytes(), path)


def decode_text(raw: bytes, path: Path) -> str:
    """Decode the bytes of a text file, without its byte-order mark; an `InputError` names the first byte that is not UTF-8."""
    known = next((known for start, known in _FORMATS.items() if raw.startswith(start)), None)
    beginning = raw[:4096]
    if known is None and 4 * beginning.count(0) > len(beginning) > 1:
        known = _UTF_16  # without a mark it decodes as UTF-8, with NULs
    if known is not None:
        raise InputError(f"{path} is not UTF-8 but {known[0]}: {known[1]} and try again")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as found:
        byte = f"byte 0x{raw[found.start]:02x} at offset {found.start:,}"
        raise InputError(f"{path} is not UTF-8 ({byte}): save it as UTF-8 and try again") from None


def refuse_table(path: Path) -> None:
    """Refuse a file of records where a plain text is read, because a model would learn its separators."""
    if path.suffix.lower() in TABLE_SUFFIXES:
        raise InputError(
            f"{path} is a table, and a plain text is read here: save its texts as a .txt file, or fine-tune on it with  "
            f"python -m trainer.finetune --corpus {path}"
        )


def refuse_records(text: str, path: Path) -> None:
    """Refuse a plain text that consists of records: JSON, or a table with Excel's line ``sep=;``."""
    if text[:6].lower().strip('"').startswith("sep="):
        raise InputError(
            f"{path} is a table, not a plain text (its first line is {text[:6].strip()}): rename it to .csv"
        )
    ending = _json_ending(text.strip())
    if ending is not None:
        raise InputError(
            f"{path} holds JSON, not a plain text, and a model would learn its syntax: fine-tune on it after renaming it to "
            f"{path.with_suffix(ending).name}, or save its texts alone"
        )


def _json_ending(text: str) -> str | None:
    """Determine how a file should end whose text, or the larger part of it, is JSON; None if it is not."""
    lines = [line for line in text.split("\n") if line.strip()]
    n_open = sum(line.lstrip().startswith("{") for line in lines)
    if 2 * n_open > len(lines) and 2 * sum(map(_is_object, lines)) > len(lines):
        return ".jsonl"
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    items = value if isinstance(value, list) else [value]
    has_records = any(isinstance(item, dict) or (isinstance(item, str) and item is not value) for item in items)
    return ".json" if has_records and text[end:].lstrip()[:1] in ("", "{", "[") else None


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
