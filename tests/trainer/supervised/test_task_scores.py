"""Scores against their formulas, and the bag of words on tasks whose answer is known."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.tasks.examples import KINDS, Classification, Entailment, Example, MultipleChoice, Similarity, Task
from trainer.supervised.task_scores import bag_of_words, chance, headline, majority, score

WORDS = ("sun", "moon", "star", "sea", "rose", "king", "crown", "night")


def classes(truth: list[int], n: int) -> Task:
    examples = tuple(Classification("x", target) for target in truth)
    return Task("t", "classification", tuple(map(str, range(n))), examples, examples)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2))
@settings(deadline=None)
def test_two_classes_are_scored_by_the_formulas_of_their_four_counts(pairs: list[tuple[int, int]]) -> None:
    truth, said = map(list, zip(*pairs, strict=True))
    tp, tn = pairs.count((1, 1)), pairs.count((0, 0))
    fp, fn = pairs.count((0, 1)), pairs.count((1, 0))
    found = score(classes(truth, 2), said)
    assert found["accuracy"] == pytest.approx((tp + tn) / len(pairs))
    assert found["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0)
    below = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5
    assert found["matthews"] == pytest.approx((tp * tn - fp * fn) / below if below else 0.0)


def test_some_examples_are_scored_against_their_own_targets() -> None:
    assert score(classes([0, 1, 1, 0], 2), [1, 1], which=[1, 3])["accuracy"] == 0.5


def test_of_more_classes_f1_is_the_mean_of_their_own() -> None:
    truth, said = [0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 2, 1]
    assert score(classes(truth, 3), said)["f1"] == pytest.approx((1 + 0.5 + 0.5) / 3)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=3, max_size=20))
@settings(deadline=None)
def test_correlations_are_covariance_over_deviations_of_values_and_of_ranks(pairs: list[tuple[float, float]]) -> None:
    truth, said = (np.round(values, 2) for values in zip(*pairs, strict=True))
    examples = tuple(Similarity("x", "y", float(value)) for value in truth)
    found = score(Task("t", "similarity", (), examples, examples), said)
    if np.ptp(truth) == 0 or np.ptp(said) == 0:
        assert (found["pearson"], found["spearman"]) == (0.0, 0.0)
        return
    assert found["pearson"] == pytest.approx(correlation(truth, said), abs=1e-6)
    assert found["spearman"] == pytest.approx(correlation(ranks(truth), ranks(said)), abs=1e-6)
    assert found["squared_error"] == pytest.approx(float(np.mean((truth - said) ** 2)))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank values; ties share the mean of their ranks."""
    return np.array([(values < value).sum() + ((values == value).sum() - 1) / 2 for value in values])


def test_chance_and_the_majority_are_what_guessing_gives() -> None:
    task = classes([0, 1, 1, 2], 3)
    assert chance(task) == {"accuracy": pytest.approx(1 / 3)}
    assert majority(task)["accuracy"] == 0.5
    scores = tuple(Similarity("x", "y", float(value)) for value in (0, 1, 2))
    regression = Task("t", "similarity", (), scores, scores)
    assert (chance(regression)["spearman"], majority(regression)["pearson"]) == (0.0, 0.0)
    assert (headline(task), headline(regression)) == ("accuracy", "spearman")


def example(kind: str, draw: random.Random, means_something: bool) -> Example:
    """Draw an example whose target follows from its words, or is random."""
    one, other, noise = draw.sample(WORDS, 3)
    target = draw.randint(0, 1)
    first = f"{one} {'day' if target else 'dusk'} {noise}" if means_something else f"{one} {noise}"
    if kind == "classification":
        return Classification(first, target)
    if kind == "choice":
        answers = [f"{other} {noise}", f"{other} {noise}"]
        if means_something:
            answers[target] += " indeed"
        return MultipleChoice(one, tuple(answers), target)
    return KINDS[kind](first, other, float(target) if kind == "similarity" else target)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bag_of_words_finds_what_words_tell_and_nothing_where_they_tell_nothing(kind: str) -> None:
    for means_something in (True, False):
        draw = random.Random(7)
        some = tuple(example(kind, draw, means_something) for _ in range(600))
        labels = () if kind == "similarity" else ("no", "yes")
        task = Task("t", kind, labels, some[:300], some[300:])
        found = bag_of_words(task)[headline(task)]
        if means_something:
            assert found > 0.85
        else:
            assert abs(found - (0.0 if kind == "similarity" else 0.5)) < 0.15


def test_a_bag_of_words_does_with_few_texts_or_none_that_have_words() -> None:
    few = (Classification("one", 0), Classification("two", 1))
    assert bag_of_words(Task("t", "classification", ("a", "b"), few, few))["accuracy"] == 1.0
    signs = (Classification("!", 0), Classification("?", 1))
    assert bag_of_words(Task("t", "classification", ("a", "b"), signs, signs))["accuracy"] == 1.0


def test_a_bag_of_words_that_saw_one_class_says_that_one() -> None:
    learned = tuple(Classification(f"a word {n}", 1) for n in range(4))
    judged = tuple(Classification("a word", n % 2) for n in range(4))
    assert bag_of_words(Task("t", "classification", ("a", "b"), learned, judged))["accuracy"] == 0.5
    chosen = tuple(MultipleChoice("a", ("word", "letter"), 1) for _ in range(4))
    assert bag_of_words(Task("t", "choice", ("0", "1"), chosen, chosen))["accuracy"] == 1.0


def test_a_bag_of_words_of_a_similarity_does_not_see_the_order() -> None:
    draw = random.Random(3)
    some = tuple(example("similarity", draw, True) for _ in range(60))
    turned = tuple(Similarity(e.second, e.first, e.target) for e in some if isinstance(e, Similarity))
    one, other = (bag_of_words(Task("t", "similarity", (), some[:30], test[30:])) for test in (some, turned))
    assert one == pytest.approx(other)


def test_an_entailment_has_two_sides() -> None:
    """Only the order of two words matters, which the product of both bags does not show."""
    pairs = [(a, b) for a in WORDS for b in WORDS if a != b]
    random.Random(1).shuffle(pairs)
    some = tuple(Entailment(a, b, int(a < b)) for a, b in pairs * 3)
    assert bag_of_words(Task("t", "entailment", ("no", "yes"), some[:84], some[84:]))["accuracy"] > 0.8
