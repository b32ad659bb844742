"""Which line comes next? Questions out of any text, for a model that was taught nothing but the text."""

from __future__ import annotations

import textwrap

import numpy as np
from numpy.typing import NDArray

from data.errors import NotApplicableError
from data.tasks.examples import MultipleChoice
from data.tasks.play_tasks import APART, N_ANSWERS

SHORTEST = 8
"""Characters of a line that is asked about."""

CONTEXT_LINES = 8

WIDTH = 40
"""Characters of the lines into which a text without line ends is broken."""


def draw_line_choices(text: str, n: int, *, seed: int = 0) -> tuple[MultipleChoice, ...]:
    """Draw questions from a text: some lines, the one that follows, and lines from elsewhere in the text.

    A line is asked about if it has `SHORTEST` characters or more, does not say who speaks (``NAME:``) and follows upon another without
    a blank line between. The wrong lines are drawn from these too, at least 50 lines away where the text is long enough. The right one is
    at each place equally often, but for one.

    Parameters
    ----------
    text : with line ends; one that has too few is broken into lines of `WIDTH` characters first.
    n : the most questions; there are fewer where the text has fewer lines to ask about.
    seed : decides which lines.

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
    asked = _asked(lines)
    if _n_different(lines, asked) < N_ANSWERS:
        lines = textwrap.wrap(text, WIDTH)
        asked = _asked(lines)
    if (found := _n_different(lines, asked)) < N_ANSWERS:
        raise NotApplicableError(
            f"which line comes next can be asked of a text with {N_ANSWERS} lines or more that differ, and this one has {found}: "
            "pass another with `text`"
        )
    draw = np.random.default_rng([seed, len(lines)])
    chosen = draw.permutation(asked)[:n]
    targets = draw.permutation(np.arange(len(chosen)) % N_ANSWERS)
    return tuple(
        _choice(lines, asked, int(right), int(target), draw) for right, target in zip(chosen, targets, strict=True)
    )


def _asked(lines: list[str]) -> NDArray[np.int64]:
    return np.array([i for i in range(1, len(lines)) if _is_asked(lines[i - 1], lines[i])], dtype=np.int64)


def _n_different(lines: list[str], asked: NDArray[np.int64]) -> int:
    return len({lines[number] for number in asked})


def _is_asked(before: str, line: str) -> bool:
    return bool(before.strip()) and len(line.strip()) >= SHORTEST and not line.rstrip().endswith(":")


def _choice(
    lines: list[str], asked: NDArray[np.int64], right: int, target: int, draw: np.random.Generator
) -> MultipleChoice:
    others = [number for number in draw.permutation(asked) if lines[number] != lines[right]]
    others.sort(key=lambda number: abs(number - right) <= APART)  # the far ones first, otherwise in the order drawn
    wrong = list(dict.fromkeys(lines[number] for number in others))[: N_ANSWERS - 1]
    context = "\n".join(lines[max(0, right - CONTEXT_LINES) : right])
    return MultipleChoice(context, (*wrong[:target], lines[right], *wrong[target:]), target)
