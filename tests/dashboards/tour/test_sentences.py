"""The tour says no more than its tests allow: effects that are there are named, others are denied or qualified."""

from __future__ import annotations

import pytest

from dashboards.state.language import Translation
from dashboards.tour.sentences import (
    TemperatureSpread,
    of_beginning,
    of_fall,
    of_gathering,
    of_head,
    of_temperature,
    of_words,
)
from data.language import LANGUAGES
from probes.first_look import BackwardHead, Beginning, Gathering, KnownWords, NullComparison

EN = Translation("en")


def gathering(p: float, p_matched: float | None = None) -> Gathering:
    nulls = [NullComparison("random", 0.98, p, 9999, False)]
    if p_matched is not None:
        nulls.append(NullComparison("matched", 0.6, p_matched, 9999, False))
    return Gathering("vowels", 1000, tuple(nulls))


def test_a_group_is_closer_than_random_ones_if_the_p_value_allows_it() -> None:
    text = of_gathering(gathering(0.01), "vowels", EN)
    assert "closer together than 98% of random groups of that size (p = 0.010)" in text
    assert "step 1,000" in text


def test_a_group_that_chance_makes_as_close_is_not_said_to_gather() -> None:
    text = of_gathering(gathering(0.3, 0.4), "vowels", EN)
    assert text.startswith("Vowels may look close at times, but no step is certain")
    assert "p = 0.30" in text


def test_frequency_may_explain_what_random_groups_do_not() -> None:
    text = of_gathering(gathering(0.01, 0.3), "vowels", EN)
    assert "98% of random groups" in text
    assert "that is not certain (60%, p = 0.30)" in text
    assert "holds against groups of equally frequent tokens" not in text
    held = of_gathering(gathering(0.01, 0.02), "vowels", EN)
    assert "It holds against groups of equally frequent tokens, too (60%, p = 0.020)" in held


def test_closer_than_equally_frequent_ones_only_is_said_so() -> None:
    text = of_gathering(gathering(0.2, 0.01), "vowels", EN)
    assert (
        "60% of groups of equally frequent tokens (p = 0.010), but not certainly closer than any random group (p = 0.20)"
        in text
    )


@pytest.mark.parametrize(
    ("score", "says"),
    [(0.89, "has found its job: it gives 89%"), (0.3, "No head looks mostly"), (0.12, "No head of this model seeks")],
)
def test_a_head_has_found_the_token_before_only_if_most_of_its_attention_is_there(score: float, says: str) -> None:
    text = of_head(BackwardHead(0, 2, score, 0.1), EN)
    assert says in text
    assert "10%" in text


def test_noise_is_said_only_of_a_model_that_guesses() -> None:
    assert "knows nothing: its loss is 4.21" in of_beginning(Beginning(0, 4.21, 67), EN)
    assert "is not a blank one" in of_beginning(Beginning(0, 2.0, 67), EN)


def test_words_are_counted_and_progress_is_not_claimed_where_there_is_none() -> None:
    text = of_words(KnownWords(0, 0, 4), KnownWords(5000, 19, 20), EN)
    assert "19 of 20 occur in the training text; at step 0 it was 0 of 4" in text
    assert "not more readable" in of_words(KnownWords(0, 2, 4), KnownWords(5000, 10, 20), EN)
    assert "not more readable" not in text
    assert "no word" in of_words(KnownWords(0, 0, 4), KnownWords(5000, 0, 0), EN)


def test_a_loss_falls_only_if_it_did() -> None:
    assert of_fall(4.2, 1.5, EN).startswith("The loss fell from 4.20 to 1.50")
    assert of_fall(1.5, 1.6, EN).startswith("The loss did not fall")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_whole_in_every_language(language: str) -> None:
    say = Translation(language)
    found = [
        of_beginning(Beginning(0, 4.2, 67), say),
        of_beginning(Beginning(0, 2.0, 67), say),
        *(of_gathering(gathering(p, q), "x", say) for p in (0.01, 0.9) for q in (0.01, 0.9)),
        *(of_head(BackwardHead(0, 0, score, 0.1), say) for score in (0.9, 0.3, 0.1)),
        of_words(KnownWords(0, 0, 4), KnownWords(50, 19, 20), say),
        of_temperature(TemperatureSpread(0.2, 1.5, 1.0, 9.5), say),
    ]
    assert len(set(found)) == len(found)
    assert all(text.endswith(".") and "{" not in text for text in found)
    assert ("0,2" in found[-1]) == (language == "pt")
