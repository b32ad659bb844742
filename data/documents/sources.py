"""Sources of documents: many short texts, such as jokes, each with a beginning and an end.

They come from `pyjokes` (the corpus ``jokes``), a file of records with one or more columns of text (CSV, TSV, JSON, JSONL or Parquet;
`data.documents.text_columns`), any text file, a named corpus of `data.corpora.catalog`, or a data set of Hugging Face. Duplicates are
removed, because one copy could be learned and the other held out.

Examples
--------
>>> documents = read_documents("jokes", language="es")
>>> len(documents.texts), documents.prefix
(44, 'JOKE: ')
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.corpora.catalog import CORPORA, load_corpus
from data.documents.records import Records, read_rows
from data.documents.text_columns import COLUMNS, TextColumns, find_text_columns, looks_like_text
from data.errors import InputError
from data.text_files import TABLE_SUFFIXES

JOKES = "jokes"
JOKE_PREFIX = "JOKE: "
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Documents:
    """Short texts, and their origin.

    ``prefix`` is the default beginning of each. ``empty`` and ``doubled`` count the texts left out: those without a letter, and
    duplicates. ``sha256`` is that of the file, or of the texts if there is no file. ``layout`` describes what was read as documents, such
    as ``column 'text', separator ';'``.
    """

    name: str
    language: str
    origin: str
    texts: tuple[str, ...]
    sha256: str
    prefix: str = ""
    empty: int = 0
    doubled: int = 0
    layout: str = ""

    @property
    def reading(self) -> str:
        """What was read: the number of documents and their layout."""
        counted = f"{len(self.texts):,} document{'s' * (len(self.texts) != 1)}"
        return f"{counted}, {self.layout}" if self.layout else counted

    @property
    def characters(self) -> int:
        """The length of all texts in characters."""
        return sum(map(len, self.texts))


def read_documents(
    source: str,
    *,
    text_column: str | None = None,
    language: str = "en",
    split: str = "train",
    corpus_dir: str | Path | None = None,
) -> Documents:
    """Read the documents of a source.

    Parameters
    ----------
    source : ``jokes``; the path of a CSV, TSV, JSON, JSONL or Parquet file; the path of a text file, whose documents are its paragraphs
        (between blank lines) or, without blank lines, its lines; a name of `data.corpora.catalog`, read like a text file; or a data
        set of Hugging Face by its name, ``owner/name`` (``hf:name`` if it has no owner).
    text_column : of a table or data set; by default Joke or text, the only column, or those of instructions or conversations, joined.
    language : of ``jokes``, as pyjokes names it.
    split : of a data set of Hugging Face.
    corpus_dir : a folder to search first for a named corpus.

    Raises
    ------
    InputError
        If the source does not exist, cannot be read, lacks the column (the message lists its columns), or holds no text.
    """
    kind, path = _kind(source)
    if kind == "jokes":
        return _jokes(language)
    if kind == "hub":
        return _from_hub(source.removeprefix("hf:"), split, text_column)
    if kind == "table":
        return _from_table(path, text_column)
    if kind == "text" and not path.exists() and path.name == source and not path.suffix:
        known = ", ".join([JOKES, *CORPORA])
        raise InputError(
            f"there is no corpus {source!r}: known are {known}; a file of yours is given by its path, a data set of Hugging Face as "
            "owner/name or hf:name"
        )
    corpus = load_corpus(source if kind == "corpus" else path, corpus_dir)
    origin, texts = corpus.origin, paragraphs(corpus.text)
    layout = "paragraphs" if _BLANK_LINE.search(corpus.text.strip("\n")) else "lines"
    return _gathered(corpus.name, corpus.language, origin, texts, sha256=corpus.sha256, layout=layout)


def check_source_options(
    source: str, *, text_column: str | None = None, language: str = "en", split: str = "train"
) -> None:
    """Refuse options of `read_documents` that do not apply to the source.

    Raises
    ------
    InputError
        If a language is given and the source is not ``jokes``; a split, and it is not a data set of Hugging Face; or a column, and it
        is neither a data set nor a table.
    """
    kind, _ = _kind(source)
    for option, applies, where in (
        ("`language`", kind == "jokes" or language == "en", JOKES),
        ("`split`", kind == "hub" or split == "train", "a data set of Hugging Face"),
        ("`text_column`", kind in ("hub", "table") or text_column is None, "a table or a data set"),
    ):
        if not applies:
            raise InputError(f"{option} is for {where}, and the corpus is {source!r}: leave it out")


def _kind(source: str) -> tuple[str, Path]:
    """Classify a source as jokes, corpus, hub, table or text, and read it as a path too."""
    path = Path(os.path.expanduser(source))
    if source == JOKES or source in CORPORA:
        return "jokes" if source == JOKES else "corpus", path
    # owner/name is a data set of Hugging Face if it cannot be a file.
    is_file = path.exists() or path.parent.is_dir() or path.suffix.lower() in (*TABLE_SUFFIXES, ".txt", ".md")
    if source.startswith("hf:") or (_HUB_NAME.fullmatch(source) and not is_file):
        return "hub", path
    return "table" if path.suffix.lower() in TABLE_SUFFIXES else "text", path


def paragraphs(text: str) -> list[str]:
    r"""Split a text at its blank lines or, if there is none, into its lines.

    Examples
    --------
    >>> paragraphs("A horse?\nA horse!\n\nMy kingdom.\n")
    ['A horse?\nA horse!', 'My kingdom.']
    >>> paragraphs("One a line.\nAnother.\n")
    ['One a line.', 'Another.']
    """
    stripped = text.strip("\n")
    return _BLANK_LINE.split(stripped) if _BLANK_LINE.search(stripped) else stripped.split("\n")


def hold_out(n_documents: int, share: float, *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split documents at random into a train set and a held-out set, of at least one document each.

    Returns
    -------
    learned, held_out : document numbers, each in ascending order.

    Examples
    --------
    >>> learned, held_out = hold_out(10, 0.2, seed=1)
    >>> sorted([*learned, *held_out]) == list(range(10)), len(held_out)
    (True, 2)
    """
    if not 0 < share < 1:
        raise InputError(f"the share that is held out must be between 0 and 1; got {share}: pass `held_out=0.1`")
    if n_documents < 2:
        raise InputError(
            "there is only one document: at least one to learn from and one to hold out are needed; give more texts"
        )
    n_held_out = min(n_documents - 1, max(1, round(share * n_documents)))
    order = np.random.default_rng([seed, n_documents]).permutation(n_documents)
    return np.sort(order[n_held_out:]), np.sort(order[:n_held_out])


def _jokes(language: str) -> Documents:
    from importlib.metadata import version

    pyjokes = importlib.import_module("pyjokes.pyjokes")
    if language not in pyjokes.all_jokes:
        there = ", ".join(sorted(pyjokes.all_jokes))
        raise InputError(f"pyjokes has no jokes in {language!r}: pass `language` with one of {there}")
    texts = pyjokes.get_jokes(language=language, category="all")
    origin = f"pyjokes {version('pyjokes')}, {language}"
    name = JOKES if language == "en" else f"{JOKES}-{language}"
    return _gathered(name, language, origin, texts, prefix=JOKE_PREFIX)


def _from_table(path: Path, wanted: str | None) -> Documents:
    records = read_rows(path)
    columns = find_text_columns(records.columns, wanted, str(path))
    if path.suffix.lower() in (".csv", ".tsv") and wanted is None:
        _refuse_text_as_head(records, path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    texts = [columns.text(record, f"{place} of {path}") for place, record in records.rows]
    origin, layout = f"{path}, {_written(columns)}", f"{columns}, {records.layout}"
    return _gathered(path.stem, "unknown", origin, texts, sha256=digest, prefix=_prefix(columns), layout=layout)


def _refuse_text_as_head(records: Records, path: Path) -> None:
    """Refuse a table of one column without a head, because its first text would be taken for the name of the column."""
    name, *others = records.columns
    if not others and (looks_like_text(name) or any(name == record[name].strip() for _, record in records.rows)):
        raise InputError(
            f"the first line of {path} is {name[:60]!r}, a text, and should be the name of the column: put a line with "
            "the word text before it"
        )


def _written(columns: TextColumns) -> str:
    """Write the columns of the texts for the origin in run.json."""
    names = ", ".join(columns.names)
    return f"template {columns.template} ({names})" if columns.template else f"column {names}"


def _from_hub(name: str, split: str, wanted: str | None) -> Documents:
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as missing:
        raise InputError(
            f"data sets of Hugging Face need the package datasets, which is not installed ({missing}): pip install datasets, or give "
            "the path of a CSV, JSONL or Parquet file"
        ) from None
    try:
        found = datasets.load_dataset(name, split=split)
    except Exception as error:  # the library lets through the exceptions of its many back ends
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise InputError(
            f"the data set {name}, split {split}, cannot be loaded ({reason}): download its CSV or Parquet file elsewhere, "
            "and give the path of that"
        ) from None
    columns = find_text_columns(list(found.column_names), wanted, f"the data set {name}")
    values = zip(*(found[column] for column in columns.names), strict=True)
    records = (dict(zip(columns.names, each, strict=True)) for each in values)
    texts = [columns.text(record, f"row {number:,} of {name}") for number, record in enumerate(records, 1)]
    origin = f"Hugging Face, {name}, split {split}, {_written(columns)}"
    prefix, layout = _prefix(columns), str(columns)
    return _gathered(name.replace("/", "-"), "unknown", origin, texts, prefix=prefix, layout=layout)


def _prefix(columns: TextColumns) -> str:
    return JOKE_PREFIX if columns.names[0].lower() == COLUMNS[0] else ""


def _gathered(
    name: str,
    language: str,
    origin: str,
    texts: Iterable[Any],
    *,
    sha256: str | None = None,
    prefix: str = "",
    layout: str = "",
) -> Documents:
    """Collect documents, without empty texts and duplicates."""
    stripped = [re.sub(r"\r\n?", "\n", text).strip() if isinstance(text, str) else "" for text in texts]
    filled = [text for text in stripped if text]
    different = tuple(dict.fromkeys(filled))
    if not different:
        raise InputError(f"{origin} holds no text ({len(stripped):,} entries, none with a letter): give another")
    return Documents(
        name=name,
        language=language,
        origin=origin,
        texts=different,
        sha256=sha256 or hashlib.sha256("\0".join(different).encode("utf-8", "surrogatepass")).hexdigest(),
        prefix=prefix,
        empty=len(stripped) - len(filled),
        doubled=len(filled) - len(different),
        layout=layout,
    )
