"""Shares and p-values are never rounded to more than was found, and titles claim no more than their tests."""

from __future__ import annotations

import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from probes.groups.wording import (
    LINED_UP,
    SIGNIFICANT,
    SUBJECTS,
    comparison_sentence,
    group_claim,
    order_claim,
    order_sentence,
    p_value_text,
    share_text,
    title_of,
    title_of_runs,
)


def portuguese(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace(".", ",")


def result(
    share: float, n_groups: int, exact: bool, null: str = "random", members: tuple[int, ...] = (1, 2, 3)
) -> xr.Dataset:
    return xr.Dataset(
        {"percentile": ("step", [share])},
        coords={"step": [5], "null": null, "n_groups": n_groups, "exact": exact},
        attrs={"metric": "euclidean", "members": members, "highlight": "x"},
    )


@pytest.mark.parametrize(
    ("compared", "counted", "words"),
    [
        (result(0.99980, 4960, True), False, "2 in 10,000 random triples are as close"),
        (result(0.9, 4960, True), True, "496 of the 4,959 other triples are as close"),
        (result(1, 4960, True), True, "none of the 4,959 other triples is as close"),
        (result(1, 4960, True), False, "no other triple is as close"),
        (result(1, 9999, False), False, "none of 9,999 random triples is as close"),
        (result(1, 99, False), True, "none of 99 random triples is as close"),
        (result(0.0004, 4960, True), False, "99 in 100 random triples are as close"),
        (result(0, 4960, True), False, "all of the 4,959 other triples are as close"),
        (result(6 / 29, 30, True, "neighbouring"), False, "79 in 100 neighbouring triples are as close"),
        (result(0.5, 9, True, "neighbouring", (1, 5)), False, "4 of the 8 other pairs with the same gaps are as close"),
        (
            result(50 / 99, 99, False, "matched", (1, 2, 5, 8)),
            False,
            "49 in 100 equally frequent groups of 4 are as close",
        ),
    ],
)
def test_the_words_never_round_up_to_all(compared: xr.Dataset, counted: bool, words: str) -> None:
    assert comparison_sentence(compared, counted=counted) == f"x: {words}"


@pytest.mark.parametrize(
    ("share", "n_others", "exact", "sentence", "table"),
    [
        (0.0, 100, True, "0%", "0%"),
        (0.0004, 4960, True, "under 0.1%", "< 0,1%"),
        (0.0056, 4960, True, "0.5%", "0,5%"),
        (0.7634, 4960, True, "76%", "76%"),
        (0.9996, 4960, True, "99.9%", "99,9%"),
        (0.99, 4960, True, "99%", "99,0%"),
        (1.0, 4960, True, "100%", "100%"),
        (1.0, 9999, False, "99.9%", "99,9%"),
    ],
)
def test_a_share_in_a_sentence_and_in_a_table(
    share: float, n_others: int, exact: bool, sentence: str, table: str
) -> None:
    assert share_text(share, n_others, exact) == sentence
    assert share_text(share, n_others, exact, portuguese) == table


@given(st.integers(1, 10**5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_hundred_per_cent_is_all_of_them(counts: tuple[int, int]) -> None:
    closer, n_others = counts
    texts = share_text(closer / n_others, n_others, True), share_text(closer / n_others, n_others, True, portuguese)
    assert [text == "100%" for text in texts] == [closer == n_others] * 2
    assert "100%" not in share_text(closer / n_others, n_others, False)


@pytest.mark.parametrize(
    ("p", "sentence", "table"),
    [
        (1.0, "1", "1,00"),
        (0.225, ".23", "0,23"),
        (0.0999, ".10", "0,100"),
        (0.0351, ".04", "0,035"),
        (0.0012, ".0012", "0,001"),
        (0.00002, ".0001", "< 0,001"),
    ],
)
def test_a_p_value_in_a_sentence_and_in_a_table(p: float, sentence: str, table: str) -> None:
    assert p_value_text(p) == sentence
    assert p_value_text(p, portuguese) == table


@given(st.integers(1, 10**5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_none_and_all_are_said_only_of_none_and_all(counts: tuple[int, int]) -> None:
    close, n_others = counts
    words = comparison_sentence(result(1 - close / n_others, n_others + 1, True)).removeprefix("x: ")
    assert words.startswith("no other") == (close == 0)
    assert words.startswith("all ") == (close == n_others)
    if " in " in words:  # a natural frequency is within rounding, and rare ones are not rounded to none
        number, of = (int(part.replace(",", "")) for part in words.split(" random")[0].split(" in "))
        assert 0 < number < of
        assert abs(number / of - close / n_others) <= 1 / of


def both(random: float, second: float, *, percentile: float = 0.9, name: str = "digits") -> xr.Dataset:
    """Make the comparison of a group with random and with equally frequent groups, from its corrected p-values."""
    return xr.Dataset(
        {"percentile": (("step", "null"), [[percentile] * 2]), "p_corrected": (("step", "null"), [[random, second]])},
        coords={
            "step": [5],
            "null": ["random", "matched"],
            "n_groups": ("null", [9999] * 2),
            "exact": ("null", [False] * 2),
        },
        attrs={"metric": "euclidean", "members": (1, 2, 3, 4), "highlight": name},
    )


@given(st.floats(0.0001, 1), st.floats(0.0001, 1), st.integers(1, 8))
def test_a_group_gathers_only_against_both_nulls_and_corrected_for_all_groups(
    p: float, q: float, n_groups: int
) -> None:
    claim = group_claim(both(p, q), n_groups)
    passed = [value <= SIGNIFICANT / n_groups for value in (p, q)]
    assert claim.strength == ("holds" if all(passed) else "partly" if any(passed) else "none")
    title = title_of([claim])
    assert ("gather" in title) == all(passed)
    assert title.startswith("No structure beyond chance") == (not any(passed))
    if any(passed) and not all(passed):
        better, worse = ("random", "equally frequent") if passed[0] else ("equally frequent", "random")
        assert title == f"Digits are closer than {better} groups, perhaps not than {worse} ones"


def test_a_group_with_one_null_only_does_not_gather() -> None:
    claim = group_claim(both(0.0001, 0.0001).isel(null=[0]))
    assert title_of([claim]) == "Digits are closer than random groups"


def test_a_title_counts_random_groups_only_if_none_is_as_close() -> None:
    whole, nearly = both(0.0001, 0.0001, percentile=1.0), both(0.0002, 0.0001, percentile=0.9999)
    assert title_of([group_claim(whole)]) == "Digits gather (closer than every one of 9,999 random groups)"
    assert title_of([group_claim(nearly)]) == "Digits gather"
    named = [both(0.0001, 0.0001, name=name) for name in SUBJECTS]
    assert title_of([group_claim(one) for one in named[:2]]) == "Vowels and consonants gather"
    assert title_of([group_claim(one) for one in named]) == f"{len(named)} of {len(named)} groups gather"
    assert title_of([group_claim(both(0.0001, 0.0001, name="a, e"))]) == "a e gather"  # A is another token


def ordered(pairs: float, p: float) -> xr.Dataset:
    return xr.Dataset(
        {"pairs_in_order": ("step", [pairs], {"chance": 0.55}), "p_corrected": ("step", [p])},
        coords={"step": [5], "position": range(32)},
    )


@given(st.floats(0, 1), st.floats(0.0001, 1))
def test_positions_line_up_only_if_nearly_all_pairs_are_in_order_and_chance_does_not_explain_it(
    pairs: float, p: float
) -> None:
    title = title_of([order_claim(ordered(pairs, p))])
    assert (title == "Positions 0 to 31 line up") == (pairs >= LINED_UP and p <= SIGNIFICANT)
    assert (title == "No structure beyond chance in the order of positions") == (p > SIGNIFICANT)


def test_the_sentence_on_order_counts_pairs() -> None:
    words = "stand in order along one path through the full space; by chance 55 in 100 would"
    assert order_sentence(ordered(0.9899, 0.0001)) == f"positions 0 to 31: 99 in 100 pairs {words}"
    assert order_sentence(ordered(0.9999, 0.0001)) == f"positions 0 to 31: 99 in 100 pairs {words}"
    assert order_sentence(ordered(1.0, 0.0001)) == f"positions 0 to 31: all pairs {words}"


def test_a_title_of_several_runs_counts_those_in_which_it_holds() -> None:
    line, knot = order_claim(ordered(0.99, 0.0001)), order_claim(ordered(0.5, 1.0))
    assert title_of_runs([[line], [line], [line]]) == "Positions line up in 3 of 3 runs"
    assert title_of_runs([[knot], [line]]) == "Positions line up in 1 of 2 runs"
    assert title_of_runs([[knot], [knot]]) == "No structure beyond chance in the order of positions in any of 2 runs"
    digits, vowels = group_claim(both(0.0001, 0.0001)), group_claim(both(0.4, 0.4, name="vowels"))
    assert title_of_runs([[vowels], [vowels, digits]]) == "Digits gather in 1 of 2 runs"
