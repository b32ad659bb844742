"""No two tokens are shown alike, everything shown can be seen, and what is shown can be typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.printing import has_ink, visible
from probes.groups.naming import parse_label
from probes.groups.symbols import cut, display, undo_display, units

awkward = st.text(
    st.sampled_from("aU+0123ABF \n␣⏎◌∎e\u0301\u0302\u0323é\u200b\u00ad\u1100\u1161가\u212a東\ufe0f\ud800")
)
anything = st.one_of(awkward, st.text(st.characters(), max_size=5), st.sampled_from(["<|endoftext|>", "U+6771"]))


@given(anything)
def test_what_is_shown_gives_the_token_back(token: str) -> None:
    assert undo_display(display(token)) == token
    assert "".join(units(display(token))) == display(token)


@given(anything, anything)
def test_tokens_that_differ_are_shown_differently_even_where_unicode_calls_them_equal(one: str, other: str) -> None:
    shown = [unicodedata.normalize("NFC", display(token)) for token in (one, other)]
    assert (shown[0] == shown[1]) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u200b", "U+200B"),
        ("\u200bA", "\U000200ba"),
        (" ", "␣"),
        ("\n", "⏎"),
        ("<|endoftext|>", "∎"),
        ("\u0301", "◌\u0301"),
        ("e\u0301", "é"),
        ("a\u0302\u0323", "a\u0323\u0302"),
        ("\u1100\u1161", "가"),
        ("K", "\u212a"),
        ("\u0958", "\u0915\u093c"),
    ],
)
def test_pairs_that_are_easily_confused_differ(one: str, other: str) -> None:
    assert unicodedata.normalize("NFC", display(one)) != unicodedata.normalize("NFC", display(other))


@given(anything)
def test_all_that_is_shown_has_ink_and_no_mark_hangs_on_nothing(token: str) -> None:
    shown = display(token)
    assert all(map(has_ink, shown))
    assert not shown or unicodedata.category(shown[0])[0] != "M"


def test_characters_that_print_nothing_have_no_ink() -> None:
    blank = "\u00ad\u034f\u115f\u1160\u17b5\u180b\u2000\u2028\u2800\u3000\u3164\ufe0f\uffa0\ufffe\U000e0100\U000e0020\x00\x85\ue000"
    assert not any(map(has_ink, blank))
    assert all(map(has_ink, "a東ñ◌+\u0301→"))


@given(st.lists(anything, min_size=1, max_size=6, unique=True))
def test_a_token_is_found_by_what_pictures_show(tokens: list[str]) -> None:
    for place, token in enumerate(tokens):
        shown = display(token)
        if not {",", ";", '"'} & set(shown) and shown:
            assert parse_label(shown, tokens) == place


@given(anything)
def test_a_running_text_keeps_its_spaces_and_shows_the_rest(text: str) -> None:
    shown = visible(text)
    assert all(has_ink(c) or c in "\n\t" or unicodedata.category(c) == "Zs" for c in shown)
    if all(has_ink(c) or c == " " for c in text):
        assert shown == text


@given(anything, st.integers(2, 12))
def test_a_cut_label_is_short_and_holds_whole_code_points(token: str, most: int) -> None:
    shown = display(token)
    short = cut(shown, most)
    assert len(short) <= most
    if shown != short and short[0] == units(shown)[0][0] and len(units(shown)[0]) < most:
        assert units(short[:-1]) == units(shown)[: len(units(short[:-1]))]
