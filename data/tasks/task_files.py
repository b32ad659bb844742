"""Supervised examples from CSV, TSV, JSON, JSONL and Parquet files, in the formats of GLUE and similar data sets.

The suffix decides the format (`data.documents.records`). A CSV or TSV file starts with the names of its columns. By default the
columns follow from the kind of task:

==============  ==============================================  =========================================
kind            columns of text, the first that exist           column of the label or score
==============  ==============================================  =========================================
classification  sentence, text                                  label, class, target
entailment      premise, hypothesis; sentence1, sentence2;      label, gold_label
                question, sentence; question1, question2
similarity      sentence1, sentence2; question1, question2;     score, similarity, label, is_duplicate
                text1, text2
choice          context, article or premise, with question      label, answer, right
                if there is one; question, ctx,
                startphrase, sent1; and answers, endings,
                choices, options: a list, or columns numbered
                from 0 or 1 (answer1, ...)
==============  ==============================================  =========================================

The texts of several columns before the answers are joined by a space: passage and question, or the four sentences of a story. If the
columns of a choice are given, the answers come last: one column of lists, or the last columns that differ only in their number (``end1``,
``end2``); otherwise all columns after the first.

A label is any word; the classes are those of the train file, in order, or those given as ``labels``. The label of a choice is the number
of the right answer, counted from 0 or ``first_label``, its letter, or the answer itself. Similarity has scores if the column is score
or similarity, or if its values in the train file are all numbers and not all whole (such as 0 to 5 in STS-B); whole numbers and words
are classes. ``labels`` overrides this: the classes, or an empty tuple for scores.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from data.documents.records import PlacedRecord, Records, read_rows
from data.errors import InputError, list_names
from data.tasks.examples import KINDS, Example, MultipleChoice, Similarity, Task, check_kind

HELD_OUT_SHARE = 0.2

_PAIRS = (("sentence1", "sentence2"), ("question1", "question2"), ("text1", "text2"))
_TEXTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "classification": (("sentence",), ("text",)),
    "entailment": (("premise", "hypothesis"), ("sentence1", "sentence2"), ("question", "sentence"), *_PAIRS[1:]),
    "similarity": _PAIRS,
    "choice": (
        *(("context", "question"), ("article", "question"), ("premise", "question")),
        *(("context",), ("article",), ("premise",), ("question",), ("ctx",)),
        *(("startphrase",), ("sent1",)),  # SWAG has both; startphrase is sent1 with the start of the answer
    ),
}
_LABELS = {
    "classification": ("label", "class", "target"),
    "entailment": ("label", "gold_label"),
    "similarity": ("score", "similarity", "label", "is_duplicate"),
    "choice": ("label", "answer", "right"),
}
_SCORES = ("score", "similarity")
_ANSWER_LISTS = ("answers", "endings", "choices", "options")
_NUMBERED_ANSWER = re.compile(r"(?:answer|ending|choice|option)_?(\d+)")


@dataclass(frozen=True)
class Columns:
    """The columns of a file to read; None finds them by the usual names."""

    texts: tuple[str, ...] | None = None
    """The columns of the texts, in order; for a choice, those of the context and then those of the answers."""
    label: str | None = None
    """The column of the label or score."""
    labels: tuple[str, ...] | None = None
    """The classes, in order; an empty tuple for scores."""
    first_label: int = 0
    """For a choice: the number of the first answer."""


USUAL_COLUMNS = Columns()


@dataclass(frozen=True)
class _FileColumns:
    """The columns of a file: ``texts`` (of a choice, its context), ``answers`` (of a choice) and ``label``."""

    path: Path
    texts: tuple[str, ...]
    answers: tuple[str, ...]
    label: str

    def __str__(self) -> str:
        texts = ", ".join(map(repr, (*self.texts, *self.answers)))
        return f"texts {texts}, label {self.label!r}"


def read_task(train: Path, test: Path | None, kind: str, columns: Columns = USUAL_COLUMNS, *, seed: int = 0) -> Task:
    """Read a task from files.

    Parameters
    ----------
    train, test : the files. Without a test file, a fifth of the train file is held out.
    kind : classification, entailment, similarity or choice.
    columns : those to read.
    seed : of the random choice of the examples that are held out.

    Raises
    ------
    InputError
        If a file cannot be read as a table, lacks a column (the message lists its columns), holds no examples, or holds a label that is
        not one of the classes.
    """
    records = read_rows(train)
    found = _find_columns(records, check_kind(kind), columns, train)
    labels = _classes(records.rows, kind, columns, found)
    learned = _examples(records.rows, kind, labels, columns.first_label, found)
    reading = f"{found}, {records.layout}"
    if test is None:
        sides, origin = _held_out(learned, seed, train), f"{train}; a fifth held out, seed {seed}"
        return Task(train.stem, kind, labels, *sides, origin, reading)
    records = read_rows(test)
    tested = _examples(records.rows, kind, labels, columns.first_label, _find_columns(records, kind, columns, test))
    return Task(train.stem, kind, labels, learned, tested, f"{train} and {test}", reading)


def _find_columns(records: Records, kind: str, columns: Columns, path: Path) -> _FileColumns:
    rows, known = records.rows, records.columns
    if not columns.texts:
        texts, answers = _usual_texts(known, kind)
    else:
        texts, answers = _split(rows, columns.texts) if kind == "choice" else (columns.texts, ())
    label = columns.label or next((name for name in _LABELS[kind] if name in known), None)
    missing = [name for name in (*texts, *answers, *([label] if label else [])) if name not in known]
    if not texts or not label or missing:
        lacks = repr(missing[0]) if missing else "texts" if not texts else "a label"
        what = f"lacks the column {lacks}" if missing else f"has no column that is known to hold {lacks}"
        raise InputError(
            f"{path} {what} of a task of {kind}; its columns are {', '.join(known)}: name those to read with `columns` and `label`"
        )
    n_texts = {"classification": 1, "entailment": 2, "similarity": 2}.get(kind)
    if n_texts is not None and len(texts) != n_texts:
        raise InputError(f"{kind} reads {n_texts} column{'s' * (n_texts > 1)} of text; got {', '.join(texts)}")
    return _FileColumns(path, texts, answers, label)


def _usual_texts(known: Sequence[str], kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the columns of the texts and, for a choice, of its answers by their usual names; empty if there are none."""
    found: tuple[str, ...] = next((names for names in _TEXTS[kind] if set(names) <= set(known)), ())
    if kind != "choice":
        return found, ()
    lists = [name for name in _ANSWER_LISTS if name in known][:1]
    numbered = sorted(
        (int(match[1]), name) for name in known if (match := _NUMBERED_ANSWER.fullmatch(name.lower())) is not None
    )
    answers = tuple(lists or [name for _, name in numbered])
    return (found, answers) if answers else ((), ())


def _split(rows: Sequence[PlacedRecord], names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the given columns of a choice into those of its context and, the last ones, those of its answers."""
    if len(names) < 2:
        raise InputError(
            f"a choice needs a column of context and then its answers; got only {names[0]}: name more with `columns`"
        )
    stems = [name.rstrip("0123456789") for name in names]
    alike = sum(1 for _ in takewhile(lambda stem: stem == stems[-1] != names[-1], reversed(stems)))
    if names[-1] in _ANSWER_LISTS or isinstance(rows[0][1].get(names[-1]), (list, dict)):
        first = len(names) - 1
    else:
        first = len(names) - alike if 1 < alike < len(names) else 1
    return names[:first], names[first:]


def _classes(rows: Sequence[PlacedRecord], kind: str, columns: Columns, found: _FileColumns) -> tuple[str, ...]:
    label = found.label
    if kind == "choice":
        return tuple(map(str, range(len(_answers(rows[0], found.answers, found.path)))))
    if columns.labels is not None:
        return columns.labels
    values = {_word(record.get(label)) for _, record in rows} - {""}
    if kind == "similarity" and (label in _SCORES or _are_scores(values)):
        return ()
    if len(values) > max(100, len(rows) // 2):
        hint = ", or pass `labels` without any if it holds scores" if kind == "similarity" else ""
        raise InputError(
            f"the column {label!r} of {found.path} holds {len(values):,} different values in {len(rows):,} examples, too many for classes: "
            f"name the column of the label with `label`{hint}"
        )
    return tuple(sorted(values, key=_order))


def _are_scores(values: Iterable[str]) -> bool:
    """Check whether values are scores, not classes: all are numbers, and some are not whole."""
    numbers = [_number(value) for value in values]
    return not any(map(math.isnan, numbers)) and not all(number.is_integer() for number in numbers)


def _order(value: str) -> tuple[bool, float, str]:
    """Sort key: numbers by size, then words."""
    number = _number(value)
    is_word = math.isnan(number)
    return is_word, 0.0 if is_word else number, value


def _number(value: str) -> float:
    """Parse a number; nan if it is a word, as ``inf`` and ``nan`` are here."""
    try:
        number = float(value)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _examples(
    rows: Sequence[PlacedRecord],
    kind: str,
    labels: tuple[str, ...],
    first_label: int,
    found: _FileColumns,
) -> tuple[Example, ...]:
    examples: list[Example] = []
    path = found.path
    for row in rows:
        value = _word(_field(row, found.label, path))
        where = f"{row[0]} of {path}"
        texts = [_text(row, name, path) for name in found.texts]
        if kind == "choice":
            answers = _answers(row, found.answers, path)
            if len(answers) != len(labels):
                raise InputError(f"{where} has {len(answers)} answers and the first example has {len(labels)}")
            target = _right_answer(value, answers, first_label, where)
            context = " ".join(text for text in texts if text.strip()) if len(texts) > 1 else texts[0]
            examples.append(MultipleChoice(context, answers, target))
            continue
        if not labels:
            examples.append(Similarity(texts[0], texts[1], _score(value, where)))
        elif value in labels:
            examples.append(KINDS[kind](*texts, labels.index(value)))
        else:
            raise InputError(f"{where} has the label {value!r}, which is none of {list_names(labels)}")
    return tuple(examples)


def _right_answer(value: str, answers: tuple[str, ...], first: int, where: str) -> int:
    if re.fullmatch(r"-?\d+", value):
        place = int(value) - first
    elif value in (stripped := [answer.strip() for answer in answers]):
        place = stripped.index(value)
    elif len(value) == 1 and value.isalpha() and value.isascii():
        place = ord(value.upper()) - ord("A")
    else:
        place = -1
    if place not in range(len(answers)):
        counted = f"{first} to {first + len(answers) - 1}, or A to {chr(ord('A') + len(answers) - 1)}"
        hint = ": pass `first_label=1` if answers are counted from 1" if value == str(first + len(answers)) else ""
        raise InputError(f"{where} gives {value!r} as the right answer, and the answers are {counted}{hint}")
    return place


def _answers(row: PlacedRecord, names: Sequence[str], path: Path) -> tuple[str, ...]:
    if len(names) == 1:
        value = _field(row, names[0], path)
        if isinstance(value, dict):  # as some sets have it: {"text": [...], "label": ["A", ...]}
            value = value.get("text")
        if not isinstance(value, list) or len(value) < 2 or not all(isinstance(answer, str) for answer in value):
            raise InputError(f"{row[0]} of {path}: {names[0]!r} must be a list of at least two answers")
        return tuple(value)
    return tuple(_text(row, name, path) for name in names)


def _text(row: PlacedRecord, name: str, path: Path) -> str:
    value = _field(row, name, path)
    if not isinstance(value, str):
        raise InputError(f"{row[0]} of {path}: {name!r} is {value!r}, and it must be a text")
    return value


def _field(row: PlacedRecord, name: str, path: Path) -> Any:
    place, record = row
    if name not in record:
        raise InputError(f"{place} of {path} lacks {name!r}; it has {', '.join(record) or 'nothing'}")
    return record[name]


def _score(value: str, where: str) -> float:
    score = _number(value)
    if math.isnan(score):
        raise InputError(f"{where} has the score {value!r}, which is not a number")
    return score


def _word(value: Any) -> str:
    """Write a label as a word; true and false as 1 and 0, as in other formats."""
    return str(int(value)) if isinstance(value, bool) else "" if value is None else str(value).strip()


def _held_out(examples: tuple[Example, ...], seed: int, path: Path) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Split examples into a train set and a test set; duplicates are in the same set."""
    # The two texts of a similarity have no order.
    texts = [tuple(sorted(each.texts)) if isinstance(each, Similarity) else each.texts for each in examples]
    different = list(dict.fromkeys(texts))
    n_test = round(HELD_OUT_SHARE * len(different))
    if n_test < 1:
        raise InputError(
            f"{path} holds too few different examples ({len(different)}) to hold some out: give a test file with `test`"
        )
    order = np.random.default_rng([seed, len(different)]).permutation(len(different))
    tested = {different[i] for i in order[:n_test]}
    is_tested = [text in tested for text in texts]
    return tuple(compress(examples, np.logical_not(is_tested))), tuple(compress(examples, is_tested))
