"""Has a model read the plays that a task is judged by? A run of `shakespeare` has, and then a part of its scores is memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.corpora.catalog import CORPORA
from data.runs import Run, list_runs
from data.tasks.examples import Task

WITH_THE_PLAYS = ("shakespeare", "tinyshakespeare")
"""The corpora that hold plays which are held out, whole or in part."""

LINE = 24
"""Characters of a line that is not in two plays by chance."""

SHARE = 0.01
"""Of the lines that a task is judged by: a text that holds more of them holds plays."""


def overlapping_corpora(run: Run, task: Task) -> list[str]:
    """Return the corpora that a run, or one that it was fine-tuned from, learned from and that hold what a task of the plays is judged by.

    Parameters
    ----------
    run : the base of a fine-tuning. Those before it are looked at as far as they are still there.
    task : one that is made from the plays.
    """
    lines = {line for example in task.test for text in example.texts for line in text.split("\n") if len(line) >= LINE}
    found = (_corpus(each) for each in _line_of_descent(run))
    return list(dict.fromkeys(name for name, digest in found if _holds(name, digest, lines)))


def _line_of_descent(run: Run) -> Iterator[Run]:
    """Yield a run, its base, the base of that, and so on."""
    runs = {each.name: each for each in list_runs()}
    current: Run | None = run
    while current is not None:
        yield current
        current = runs.pop(current.info.get("base", {}).get("run"), None)


def _corpus(run: Run) -> tuple[str, str]:
    """Return how the corpus of a run is found (a name or a path), and its sha256."""
    corpus = run.info.get("corpus") or {}
    found_by = (run.info.get("training") or {}).get("corpus") or corpus.get("name", "")
    return str(found_by), str(corpus.get("sha256", ""))


def _holds(found_by: str, digest: str, lines: set[str]) -> bool:
    if found_by in WITH_THE_PLAYS or digest in {CORPORA[name].sha256 for name in WITH_THE_PLAYS}:
        return True
    if found_by in CORPORA or not Path(found_by).is_file():
        return False
    text = Path(found_by).read_text(encoding="utf-8", errors="replace")
    return sum(line in text for line in lines) > SHARE * len(lines)
