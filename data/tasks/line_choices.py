"""Multiple-choice questions about the next line of any text, for zero-shot evaluation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from data.arrays import TokenIds
from data.errors import NotApplicableError
from data.tasks.examples import MultipleChoice
from data.tasks.play_tasks import APART, N_ANSWERS

SHORTEST = 8
"""Minimum number of characters of an answer."""

CONTEXT_LINES = 8

WIDTH = 40
"""Characters per line when a text without line ends is wrapped."""


def draw_line_choices(text: str, n: int, *, seed: int = 0) -> tuple[MultipleChoice, ...]:
    """Draw questions from a text: some lines, the line that follows, and lines from elsewhere in the text.

    An answer is a line of at least `SHORTEST` characters that is not a speaker's label (``NAME:``) and does not follow a blank line.
    Wrong answers are at least 50 lines away if the text is long enough. The right answer has each place equally often, give or take one.

    Parameters
    ----------
    text : with line ends; if it has too few lines, it is wrapped into lines of `WIDTH` characters.
    n : maximum number of questions; a short text gives fewer.
    seed : of the random draw.

    Raises
    ------
    NotApplicableError
        If the text has too few lines.

    Examples
    --------
    >>> text = "\\n".join(f"this is line {number}" for number in range(400))
    >>> question = draw_line_choices(text, 3, seed=1)[0]
    >>> question.context.split("\\n")[-1], question.answers[question.target]
    ('this is line 5', 'this is line 6')
    """
    lines = text.split("\n")
    usable = _usable(lines)
    if len({lines[number] for number in usable}) < N_ANSWERS:
        lines = textwrap.wrap(text, WIDTH)
        usable = _usable(lines)
    if (found := len({lines[number] for number in usable})) < N_ANSWERS:
        raise NotApplicableError(
            f"questions about the next line need a text with at least {N_ANSWERS} different lines, and this one has {found}: "
            "pass another with `text`"
        )
    draw = np.random.default_rng([seed, len(lines)])
    chosen = draw.permutation(usable)[:n]
    targets = draw.permutation(np.arange(len(chosen)) % N_ANSWERS)
    return tuple(
        _choice(lines, usable, int(right), int(target), draw) for right, target in zip(chosen, targets, strict=True)
    )


def _usable(lines: list[str]) -> TokenIds:
    """List the numbers of the lines that can be an answer."""
    return np.array([i for i in range(1, len(lines)) if _is_usable(lines[i - 1], lines[i])], dtype=np.int64)


def _is_usable(before: str, line: str) -> bool:
    return bool(before.strip()) and len(line.strip()) >= SHORTEST and not line.rstrip().endswith(":")


def _choice(lines: list[str], usable: TokenIds, right: int, target: int, draw: np.random.Generator) -> MultipleChoice:
    order = draw.permutation(usable)
    is_near = abs(order - right) <= APART
    distant_first = np.concatenate([order[~is_near], order[is_near]])
    others = (lines[number] for number in distant_first if lines[number] != lines[right])
    wrong = list(islice(_distinct(others), N_ANSWERS - 1))
    context = "\n".join(lines[max(0, right - CONTEXT_LINES) : right])
    return MultipleChoice(context, (*wrong[:target], lines[right], *wrong[target:]), target)


def _distinct(lines: Iterable[str]) -> Iterator[str]:
    """Yield each line once, in the order of first occurrence; no more lines are read than are taken."""
    seen: set[str] = set()
    for line in lines:
        if line not in seen:
            seen.add(line)
            yield line
