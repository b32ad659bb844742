"""Every character is in the class it belongs to, and a highlight means what its words say."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from probes.groups.naming import CHARACTER_GROUPS, SUBWORD_GROUPS, classes, highlight, named_group

TOKENS = list("\n !,-.0123ABZabcdezáçÉü—ª½")


def members(name: str) -> str:
    return "".join(TOKENS[i] for i in named_group(name, TOKENS).members)


def test_characters_are_in_their_classes() -> None:
    assert members("vowels") == "aeáü"
    assert members("consonants") == "bcdzçª"
    assert members("uppercase") == "ABZÉ"
    assert members("digits") == "0123½"
    assert members("punctuation") == "!,-.—"
    assert members("whitespace") == "\n "


@given(st.characters())
def test_no_character_is_in_two_classes(character: str) -> None:
    assert sum(belongs(character) for belongs in CHARACTER_GROUPS.values()) <= 1


@given(st.one_of(st.text(max_size=6), st.text("aÀ1.<0xC3> \n[unsed]", max_size=8)))
def test_no_sub_word_is_in_two_classes(token: str) -> None:
    assert sum(belongs(token) for belongs in SUBWORD_GROUPS.values()) <= 1


def test_sub_words_are_in_their_classes() -> None:
    tokens = [" the", "ing", " The", "THE", "the ", " 1867", "12", " —", "?!", "\n\n", " ", "<0xC3>", "<0xA9>o", "\x00"]
    tokens += ["<|endoftext|>", "[unused 7]", "<", "l'"]
    found = {group.name: [tokens[i] for i in group.members] for group in classes(tokens)}
    assert found == {
        "starts-word": [" the"],
        "inside-word": ["ing", "l'"],
        "capitalised": [" The", "THE"],
        "ends-word": ["the "],
        "numbers": [" 1867", "12"],
        "punctuation": [" —", "?!", "<"],
        "whitespace": ["\n\n", " "],
        "bytes": ["<0xC3>", "<0xA9>o", "\x00"],
        "special": ["<|endoftext|>", "[unused 7]"],
    }


def test_a_space_belongs_to_a_sub_word_where_there_is_such_a_token() -> None:
    tokens = ["the", " the", " and", "and", "e", ","]
    assert highlight(" the, and", tokens).members == (1, 2)
    assert highlight("the,and", tokens).members == (0, 3)
    assert highlight("␣the,␣and", tokens).members == (1, 2)
    assert highlight("the, e", tokens).members == (0, 4)  # no token " e": the space only separates
    assert highlight(" the, e", tokens).name == "␣the, e"
    assert highlight("comma, the", tokens).members == (5, 1)


def test_every_printable_character_of_english_is_in_a_class() -> None:
    tokens = list(string.printable)
    assert sum(len(group.members) for group in classes(tokens)) == len(tokens)


def test_labels_groups_and_both_together_can_be_highlighted() -> None:
    assert highlight("12,13,14", [str(i) for i in range(32)]).members == (12, 13, 14)
    assert highlight("vowels", TOKENS).members == named_group("vowels", TOKENS).members
    assert {TOKENS[i] for i in highlight("digits,z", TOKENS).members} == set("0123½z")
    assert highlight("12,13,14", [str(i) for i in range(32)]).name == "12, 13, 14"


def test_the_comma_and_white_space_can_be_named() -> None:
    assert [TOKENS[i] for i in highlight(",", TOKENS).members] == [","]
    assert [TOKENS[i] for i in highlight("comma,space,newline", TOKENS).members] == [",", " ", "\n"]


@pytest.mark.parametrize(
    ("wanted", "labels", "message"),
    [
        ("40", [str(i) for i in range(32)], "there is no position '40': this run has positions 0 to 31"),
        ("vowels", [str(i) for i in range(32)], "there is no position 'vowels'"),
        ("vovels", TOKENS, "'vovels' is neither a token of this run nor a group; groups are vowels, consonants"),
        ("digits", list("abc"), "no token of this run belongs to the group 'digits'"),
        ("", TOKENS, "names nothing"),
    ],
)
def test_what_cannot_be_highlighted_is_named(wanted: str, labels: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        highlight(wanted, labels)
