from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import NotApplicableError
from data.tasks.line_choices import SHORTEST, draw_line_choices

TEXT = "\n".join(
    "" if number % 9 == 0 else "HAMLET:" if number % 9 == 1 else f"a line of verse, number {number}"
    for number in range(900)
)


def number_of(line: str) -> int:
    return int(line.rsplit(" ", 1)[1])


@given(seed=st.integers(0, 99), n=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_the_right_line_follows_and_the_wrong_ones_stand_elsewhere(seed: int, n: int) -> None:
    questions = draw_line_choices(TEXT, n, seed=seed)
    assert len(questions) == n
    counts = Counter(question.target for question in questions)
    assert max(counts.values()) - min(counts.get(place, 0) for place in range(4)) <= 1
    for question in questions:
        lines = question.context.split("\n")
        right = number_of(question.answers[question.target])
        assert TEXT.split("\n")[right - 1] == lines[-1]
        assert len(set(question.answers)) == 4
        assert all(abs(number_of(line) - right) > 50 for i, line in enumerate(question.answers) if i != question.target)
        assert all(len(line) >= SHORTEST and not line.endswith(":") for line in question.answers)
    assert len({question.answers[question.target] for question in questions}) == n


def test_a_short_text_has_fewer_questions_and_wrong_lines_from_nearby() -> None:
    questions = draw_line_choices("\n".join(f"line number {number}" for number in range(6)), 40)
    assert len(questions) == 5
    assert {question.target for question in questions} == {0, 1, 2, 3}


def test_a_text_without_line_ends_is_broken_into_lines() -> None:
    questions = draw_line_choices(
        "to be or not to be that is the question whether it is nobler " * 9 + "in the mind", 5
    )
    assert all(len(answer) <= 40 for question in questions for answer in question.answers)
    assert all("\n" not in answer for question in questions for answer in question.answers)


@pytest.mark.parametrize("text", ["", "one line", "the same line\n" * 40, "a\nb\nc\nd\ne"])
def test_a_text_with_too_few_lines_is_refused(text: str) -> None:
    with pytest.raises(NotApplicableError, match="at least 4 different lines"):
        draw_line_choices(text, 5)
