"""Overlap between a model's corpus and a task's test set: a model that has read the plays of the test set partly remembers them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.corpora.catalog import CORPORA
from data.errors import InputError
from data.runs import Run, list_runs
from data.tasks.examples import Task
from data.text_files import read_text

WITH_THE_PLAYS = ("shakespeare", "tinyshakespeare")
"""The corpora that contain held-out plays, whole or in part."""

LINE = 24
"""Characters of a line that two plays do not share by chance."""

SHARE = 0.01
"""Share of the test set's lines from which on a text counts as containing its plays."""


def overlapping_corpora(run: Run, task: Task) -> list[str]:
    """List the corpora that a run, or a run it was fine-tuned from, was trained on and that contain a test set made from the plays."""
    lines = {line for example in task.test for text in example.texts for line in text.split("\n") if len(line) >= LINE}
    found = (_corpus(each) for each in _ancestors(run))
    return list(dict.fromkeys(name for name, digest in found if _contains(name, digest, lines)))


def _ancestors(run: Run) -> Iterator[Run]:
    """Yield a run, its base, the base of that, and so on."""
    runs = {each.name: each for each in list_runs()}
    current: Run | None = run
    while current is not None:
        yield current
        current = runs.pop(current.info.get("base", {}).get("run"), None)


def _corpus(run: Run) -> tuple[str, str]:
    """Look up the name or path of a run's corpus, and its sha256."""
    corpus = run.info.get("corpus") or {}
    source = (run.info.get("training") or {}).get("corpus") or corpus.get("name", "")
    return str(source), str(corpus.get("sha256", ""))


def _contains(source: str, digest: str, lines: set[str]) -> bool:
    if source in WITH_THE_PLAYS or digest in {CORPORA[name].sha256 for name in WITH_THE_PLAYS}:
        return True
    if source in CORPORA or not Path(source).is_file():
        return False
    try:
        text = read_text(Path(source))
    except InputError:  # it is no text by now
        return False
    return sum(line in text for line in lines) > SHARE * len(lines)
