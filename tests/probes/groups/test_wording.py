"""Shares and p-values are never rounded to more than was found, in a sentence and in a table."""

from __future__ import annotations

import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from probes.groups.wording import comparison_sentence, p_value_text, share_text


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
        (result(0.99980, 4960, True), False, "closer than 99.9% of random triples"),
        (result(0.9, 4960, True), True, "closer than 90% of the 4,959 other triples"),
        (result(1, 4960, True), True, "closer than all 4,959 other triples"),
        (result(1, 9999, False), False, "closer than 99.9% of random triples"),
        (result(1, 99, False), True, "closer than 99% of 99 random triples"),
        (result(0.0004, 4960, True), False, "closer than under 0.1% of random triples"),
        (result(0.1897, 30, True, "neighbouring"), False, "closer than 19% of neighbouring triples"),
        (result(0.5, 9, True, "neighbouring", (1, 5)), False, "closer than 50% of pairs with the same gaps"),
        (result(0.5, 99, False, "matched", (1, 2, 5, 8)), False, "closer than 50% of groups of 4 matched on frequency"),
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
