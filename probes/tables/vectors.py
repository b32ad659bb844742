"""Word vectors of any origin as a trajectory of one step, so that they are projected, measured and drawn like a run's own tables.

The word2vec text format has a header ``rows dim``, then a line per token: the token, a space, the values with spaces between. GloVe's files
are the same without the header. `probes.export.write_word2vec` writes it.

The format has no quotes, so GPTLab writes what would break a line as an escape (`escape`). Escapes are read back
from a file that has a header and whose every backslash belongs to one; in other files a backslash is a backslash.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import NoReturn

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.errors import InputError
from data.printing import has_ink
from data.runs import Run, check_free, create_run, write_snapshot
from data.tokens.tokenizers import WordList

TABLE = "token_table"
GIVE = "give a file with a token and its values on each line"

_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NAMES = {written: character for character, written in _NAMED.items()} | {"\\e": ""}
_ESCAPE = re.compile(r"\\(?:[\\nrte]|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})")
_HEADER = re.compile(r"([0-9]+)[ \t]+([0-9]+)")
_BOM = "\ufeff"


def escape(token: str) -> str:
    r"""Escape a token for the word2vec format: visible, not empty, without white space.

    A backslash becomes ``\\``, line ends and tabs ``\n``, ``\r`` and ``\t``; all else without ink, from the space to variation selectors
    and lone surrogates, becomes ``\uXXXX`` or ``\UXXXXXXXX``; the empty token is ``\e``. Everything else stays as it is.

    Examples
    --------
    >>> print(escape("a b"), escape("tab\t"), escape(""), escape("não"))
    a\u0020b tab\t \e não
    """
    return "".join(_NAMED.get(c) or (c if has_ink(c) else _code(c)) for c in token) or "\\e"


def _code(character: str) -> str:
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def unescape(written: str) -> str:
    r"""Undo `escape`; a backslash that starts no escape stays.

    Examples
    --------
    >>> unescape(r"a\u0020b"), unescape(r"\e"), unescape(r"C:\dir")
    ('a b', '', 'C:\\dir')
    """
    return _ESCAPE.sub(lambda found: _NAMES[found[0]] if found[0] in _NAMES else chr(int(found[0][2:], 16)), written)


def read_word2vec(path: Path, limit: int | None = None) -> xr.DataArray:
    """Read word vectors in the text format of word2vec, fastText or GloVe.

    Parameters
    ----------
    path : the file, UTF-8, with or without the header ``rows dim``. A first line of two whole numbers is the header.
    limit : number of rows to read (files are usually sorted by frequency); all if not given.

    Returns
    -------
    Trajectory of one step with dimensions (step, token, dim), float32: ``step`` is [0], ``token`` the tokens, ``sha256`` (step) the hash of
    the bytes that were read, which is the file's own unless ``limit`` cut it short; the attribute ``run`` is the name of the file.

    The last ``dim`` fields of a line are the values, so a token may hold spaces, as some of GloVe's do. A token that ends in a space
    and a number cannot be distinguished from a line with a value too many and is refused. Of a token that occurs more than once the
    first vector is kept, with a warning that counts the others.

    Raises
    ------
    InputError
        If the file is missing, empty or not UTF-8 text, or its header promises another number of rows; if a line has another number of
        values than the first, or one that is no finite float32. The message names the line.
    """
    if limit is not None and limit < 1:
        raise InputError(f"the number of rows to read must be at least 1; got {limit}: pass `limit=10000`, say")
    content = hashlib.sha256()
    try:
        with path.open("rb") as file:
            tokens, table = _read_rows(_lines(file, path.name, content.update), path.name, limit)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give a file of word vectors as text") from None
    kept = _first_occurrences(tokens, path.name)
    values = table[None] if len(kept) == len(tokens) else table[None, kept]
    labels = np.array([tokens[row] for row in kept], dtype=object)
    coords = {
        "step": ("step", [0], {"unknown": "one snapshot, trained"}),
        "token": labels,
        "sha256": ("step", [content.hexdigest()]),
    }
    return xr.DataArray(values, coords, ("step", "token", "dim"), "token_table", {"run": path.name})


def import_vectors(path: Path, name: str | None = None, limit: int | None = None, *, folder: Path | None = None) -> Run:
    """Import word vectors as a run of one snapshot, to be filmed, drawn, measured and exported like any token table.

    Parameters
    ----------
    path, limit : as in `read_word2vec`.
    name : name of the new run, which must not exist; made from the file's name if None.
    folder : folder of the runs; the usual one if None.
    """
    trajectory = read_word2vec(path, limit)
    name = name or re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-.") or "vectors"
    words = WordList(tuple(str(token) for token in trajectory["token"].values))
    info = {
        "created": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "parameters": trajectory.size,
        "source": {
            "file": path.name,
            "sha256": str(trajectory["sha256"].values[0]),
            "rows": trajectory.sizes["token"],
            "step_known": False,
        },
        "tokenizer": words.to_json(),
        "tensors": {"token_table": TABLE},
    }
    run = create_run(check_free(name, folder, advice="give another name with `run`"), info, folder)
    write_snapshot(run, 0, {TABLE: trajectory.values[0]})
    return run


def _lines(file: Iterator[bytes], name: str, seen: Callable[[bytes], object]) -> Iterator[tuple[int, str]]:
    """Yield the number and the decoded text of each line; empty lines may only come last."""
    empty = 0
    for number, line in enumerate(file, 1):
        seen(line)
        try:
            text = line.rstrip(b" \t\r\n").decode()
        except UnicodeDecodeError:
            _fail(name, number, "is not UTF-8: the text format is read here, unpacked, not the binary one")
        if empty and text:
            _fail(name, empty, "is empty: take it out, or write a newline token as \\n")
        if not text:
            empty = empty or number
            continue
        # A byte-order mark with a space after it is a token.
        yield number, text.removeprefix(_BOM) if number == 1 and not text.startswith(_BOM + " ") else text


def _read_rows(lines: Iterator[tuple[int, str]], name: str, limit: int | None) -> tuple[list[str], NDArray[np.float32]]:
    """Read the tokens and their vectors, (row, dim)."""
    first = next(lines, None)
    if first is None:
        raise InputError(f"{name} is empty: {GIVE}")
    header = _HEADER.fullmatch(first[1])
    dim = int(header[2]) if header else _numbers_at_end(first[1])
    if dim < 1:
        _fail(name, first[0], "holds no values: expected a token and its numbers, with single spaces between")
    rows, tokens, vectors = lines if header else chain([first], lines), [], []
    for number, line in islice(rows, limit):
        token, vector = _parse(line, dim, name, number)
        tokens.append(token)
        vectors.append(vector)
    if header:
        promised = int(header[1])
        if len(tokens) != min(promised, limit or promised):
            what = "more" if len(tokens) > promised else f"only {len(tokens):,}"
            advice = "get the file again, or correct its header"
            raise InputError(f"line 1 of {name} promises {promised:,} rows and {what} follow: {advice}")
        tokens = _without_escapes(tokens)
    if not tokens:
        raise InputError(f"{name} holds no vectors, only a header: {GIVE}")
    table = np.stack(vectors)
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if wrong.size:
        number = int(wrong[0]) + (2 if header else 1)
        _fail(name, number, "holds a value that is NaN, infinite or too large for float32")
    return tokens, table


def _parse(line: str, dim: int, name: str, number: int) -> tuple[str, NDArray[np.float32]]:
    token, *fields = line.rsplit(" ", dim)
    if len(fields) < dim or (" " in token and _is_number(token.rpartition(" ")[2])):
        _fail(name, number, f"has {_numbers_at_end(line)} values instead of {dim}: correct it or take it out")
    try:
        values = np.array([float(field) for field in fields])
    except ValueError:
        wrong = next(field for field in fields if not _is_number(field))
        _fail(name, number, f"has {wrong[:40]!r} where one of its {dim} numbers should be: correct it or take it out")
    with np.errstate(over="ignore"):  # values that are too large become infinite, which is refused
        return token, values.astype(np.float32)


def _first_occurrences(tokens: list[str], name: str) -> list[int]:
    """List the rows of the first occurrence of each token; warn if any others are left out."""
    rows: dict[str, int] = {}
    for row, token in enumerate(tokens):
        rows.setdefault(token, row)
    if left_out := len(tokens) - len(rows):
        twice = next(token for row, token in enumerate(tokens) if rows[token] != row)
        repeated = f"{left_out} rows of tokens that came before, {twice!r} for one"
        warnings.warn(f"{name} has {repeated}: the first of each is kept", stacklevel=3)
    return list(rows.values())


def _without_escapes(tokens: list[str]) -> list[str]:
    marked = {token: unescape(token) for token in tokens if "\\" in token}
    if not all(_is_escaped(written) for written in marked):
        return tokens
    return [marked.get(token, token) for token in tokens]


def _is_escaped(written: str) -> bool:
    """Check whether every backslash belongs to an escape that `escape` writes; older files hold more characters as they are."""
    escapes = _ESCAPE.findall(written)
    whole = "\\e" not in escapes or written == "\\e"
    return whole and "\\" not in _ESCAPE.sub("", written) and all(escape(unescape(one)) == one for one in escapes)


def _numbers_at_end(line: str) -> int:
    fields = line.split(" ")[1:]  # the first is a token even if it is a number
    return next((place for place, field in enumerate(reversed(fields)) if not _is_number(field)), len(fields))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _fail(name: str, number: int, what: str) -> NoReturn:
    raise InputError(f"line {number} of {name} {what}") from None
