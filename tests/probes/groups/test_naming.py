"""Every character is in the class it belongs to, and one grammar reads and writes the groups of a highlight."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.language import names
from probes.groups.naming import (
    Group,
    classes,
    format_highlight,
    format_label,
    parse_group,
    parse_highlight,
    parse_highlight_leniently,
    parse_label,
    split_highlight,
)
from probes.groups.token_classes import character_class, subword_class
from viz.drawing.text import label_name

TOKENS = list("\n !,-.0123ABZabcdezáçÉü—ª½")
POSITIONS = [str(i) for i in range(32)]


def members(name: str) -> str:
    return "".join(TOKENS[i] for i in parse_group(name, TOKENS).members)


def without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def found(text: str, labels: list[str]) -> list[list[str]]:
    """Return the labels of the members of each group that a text names."""
    return [[labels[i] for i in group.members] for group in parse_highlight(text, labels)]


def test_characters_are_in_their_classes() -> None:
    assert members("vowels") == "aeáü"
    assert members("consonants") == "bcdzçª"
    assert members("uppercase") == "ABZÉ"
    assert members("digits") == "0123½"
    assert members("punctuation") == "!,-.—"
    assert members("whitespace") == "\n "


@given(st.characters())
def test_the_class_of_a_character_follows_from_its_unicode_category(character: str) -> None:
    category = unicodedata.category(character)
    by_category = {"Ll": {"vowels", "consonants"}, "Lu": {"uppercase"}, "Nd": {"digits"}, "No": {"digits"}}
    if category[0] in "PS" and not character.isalpha():
        possible = {"punctuation"}
    elif category[0] == "L":
        possible = by_category.get(category, {"vowels", "consonants", "uppercase"})
    else:
        possible = by_category.get(category, {"whitespace"} if character.isspace() else {None})
    assert character_class(character) in possible


@given(st.one_of(st.text(max_size=6), st.text("aÀ1.<0xC3> \n[unsed]", max_size=8)))
def test_the_class_of_a_sub_word_is_one_that_its_characters_allow(token: str) -> None:
    has_letter = any(character.isalpha() for character in token)
    match subword_class(token):
        case "bytes":
            assert "<0x" in token or unicodedata.category(token)[0] == "C"
        case "special":
            assert token[0] + token[-1] in ("<>", "[]")
        case "starts-word":
            assert has_letter
            assert token[0].isspace()
        case "ends-word":
            assert has_letter
            assert token[-1].isspace()
            assert not token[0].isspace()
        case "inside-word":
            assert has_letter
            assert token == token.strip()
        case "capitalised":
            assert token.strip()[0].isupper()
        case "numbers":
            assert all(unicodedata.category(character) in ("Nd", "No") for character in token.strip())
        case "punctuation":
            assert all(unicodedata.category(character)[0] in "PS" for character in token.strip())
        case "whitespace":
            assert token.isspace()
        case None:
            assert not has_letter
            assert not token.isspace()


def test_sub_words_are_in_their_classes() -> None:
    tokens = [" the", "ing", " The", "THE", "the ", " 1867", "12", " —", "?!", "\n\n", " ", "<0xC3>", "<0xA9>o", "\x00"]
    tokens += ["<|endoftext|>", "[unused 7]", "<", "l'"]
    by_class = {group.name: [tokens[i] for i in group.members] for group in classes(tokens)}
    assert by_class == {
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


def test_every_printable_character_of_english_is_in_a_class() -> None:
    tokens = list(string.printable)
    assert sum(len(group.members) for group in classes(tokens)) == len(tokens)


def test_a_space_belongs_to_a_sub_word_where_there_is_such_a_token() -> None:
    tokens = ["the", " the", " and", "and", "e", ","]
    assert parse_group(" the, and", tokens).members == (1, 2)
    assert parse_group("the,and", tokens).members == (0, 3)
    assert parse_group("␣the,␣and", tokens).members == (1, 2)
    assert parse_group("the, e", tokens).members == (0, 4)  # no token " e": the space only separates
    assert parse_group(" the, e", tokens).name == "␣the, e"
    assert parse_group("comma, the", tokens).members == (5, 1)


def test_a_word_finds_the_sub_word_that_starts_it_where_there_is_no_other() -> None:
    tokens = [" the", " vowels", "a", " a"]
    assert found("the", tokens) == [[" the"]]
    assert parse_group("the", tokens).name == "␣the"
    assert found("a", tokens) == [["a"]]
    assert found("vowels", tokens) == [["a"]]  # a class comes before the start of a word
    assert found("␣vowels", tokens) == [[" vowels"]]


def test_labels_classes_and_both_together_can_be_highlighted() -> None:
    assert parse_group("12,13,14", POSITIONS).members == (12, 13, 14)
    assert {TOKENS[i] for i in parse_group("vowels", TOKENS).members} == set("aeáü")
    assert {TOKENS[i] for i in parse_group("digits,z", TOKENS).members} == set("0123½z")
    assert parse_group("12,13,14", POSITIONS).name == "12, 13, 14"


def test_a_semicolon_or_another_text_begins_another_group() -> None:
    groups = parse_highlight(["vowels; 12,z ;", "b"], [*TOKENS, "12"])
    assert [group.name for group in groups] == ["vowels", "12, z", "b"]
    given_group = Group("mine", (3, 1))
    assert parse_highlight(["a", given_group], TOKENS)[1] is given_group


@pytest.mark.parametrize(
    ("text", "labels", "groups"),
    [
        (",", TOKENS, [[","]]),
        ("comma,space,newline", TOKENS, [[",", " ", "\n"]]),
        ("tab;bar", ["\t", "|"], [["\t"], ["|"]]),
        (";", ["a", ";"], [[";"]]),
        (" ; ", ["a", ";"], [[";"]]),
        ("a,;", ["a", ";"], [["a", ";"]]),
        (";,a", ["a", ";"], [[";", "a"]]),
        ("a; semicolon ;b", ["a", "b", ";"], [["a"], [";"], ["b"]]),
        ("a;;b;", ["a", "b", ";"], [["a"], ["b"]]),
        ("a, ;b", ["a", "b", " "], [["a"], ["b"]]),
        (" ", ["a", " "], [[" "]]),
        ("a, e,", ["a", "e"], [["a", "e"]]),
        (");", [")", ");"], [[");"]]),
        ("1,000", ["1", "000", "1,000"], [["1,000"]]),
        ("1U+002C000,a", ["a", "1,000"], [["1,000", "a"]]),
        ('a,"1,000"', ["a", "1,000"], [["a", "1,000"]]),
        ('"a;b" ; "1,000",a', ["a", "a;b", "1,000"], [["a;b"], ["1,000", "a"]]),
        ('","', [",", '"'], [[","]]),
        ('",a', ["a", '"'], [['"', "a"]]),
        ('a,"', ["a", '"'], [["a", '"']]),
        ('","', ["a", '"'], [['"']]),  # no comma to quote
        ('""","', ['",', '"', ","], [['",']]),
        ("U+200B,∎", ["\u200b", "<|endoftext|>"], [["\u200b", "<|endoftext|>"]]),
        ("␣the,⏎", [" the", "\n"], [[" the", "\n"]]),
    ],
)
def test_the_grammar(text: str, labels: list[str], groups: list[list[str]]) -> None:
    assert found(text, labels) == groups


@pytest.mark.parametrize("language", ["en", "pt"])
@pytest.mark.parametrize("written", [str, str.upper, without_accents])
def test_every_name_of_a_class_that_is_shown_is_accepted(language: str, written: Callable[[str], str]) -> None:
    members = {  # for each class a vocabulary that has a member of it
        **dict.fromkeys(("vowels", "consonants", "uppercase", "digits", "punctuation", "whitespace"), TOKENS),
        "starts-word": [" the"],
        "inside-word": ["ing"],
        "ends-word": ["the "],
        "capitalised": [" The"],
        "numbers": ["12"],
        "bytes": ["<0xC3>"],
        "special": ["<|endoftext|>"],
    }
    for name, texts in names()["classes"].items():
        assert found(written(texts[language]), members[name]) == found(name, members[name])


@pytest.mark.parametrize("language", ["en", "pt"])
@pytest.mark.parametrize("token", [" ", "\n", "\t", "\r", "\xa0", "<|endoftext|>"])
def test_every_name_of_a_token_that_is_shown_is_accepted(language: str, token: str) -> None:
    name = label_name(token, language)
    assert found(f"a,{name}; {without_accents(name).upper()}", ["a", token]) == [["a", token], [token]]
    assert parse_label(name, ["a", token]) == 1


def test_a_token_comes_before_a_name_that_is_only_like_it() -> None:
    assert found("Numeros", [" Numeros", "12"]) == [[" Numeros"]]
    assert found("números", [" números", "12"]) == [["12"]]
    assert found("espaço", ["espaço", " "]) == [["espaço"]]
    assert found("ESPAÇO", ["espaço", " "]) == [[" "]]


def test_groups_are_named_in_the_language() -> None:
    assert [group.name for group in parse_highlight("vowels;digits,z", TOKENS, language="pt")] == [
        "vogais",
        "algarismos, z",
    ]
    assert format_highlight([[TOKENS.index(" "), TOKENS.index(",")]], TOKENS, language="pt") == "espaço,vírgula"


def test_classes_are_known_in_portuguese() -> None:
    assert found("vogais", TOKENS) == found("vowels", TOKENS)
    assert parse_group("vogais", TOKENS).name == "vogais"
    assert found("começa palavra", [" the", "e"]) == found("starts-word", [" the", "e"]) == [[" the"]]
    with pytest.raises(InputError, match="groups are vogais, consoantes, maiúsculas, algarismos"):
        parse_highlight("nada", TOKENS, language="pt")


@pytest.mark.parametrize(
    ("text", "labels", "message"),
    [
        ("40", POSITIONS, "there is no position '40': this run has positions 0 to 31"),
        ("vowels", POSITIONS, "there is no position 'vowels'"),
        ("vovels", TOKENS, "'vovels' is neither a token of this run nor a group; groups are vowels, consonants"),
        ("digits", list("abc"), "no token of this run belongs to the group 'digits'"),
        ("", TOKENS, "`highlight` '' names nothing: give labels or group names, e.g. `highlight=12,13,14`"),
        (";,", list("abc"), "names nothing"),
    ],
)
def test_what_cannot_be_highlighted_is_named(text: str, labels: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_highlight(text, labels)
    groups, errors = parse_highlight_leniently(text, labels)
    assert not groups
    assert message in str(errors[0])


def test_the_rest_of_a_group_is_found_although_a_part_is_not() -> None:
    groups, errors = parse_highlight_leniently(["a,*,e", "?; b"], TOKENS)
    assert [group.name for group in groups] == ["a, e", "b"]
    assert [str(error)[:3] for error in errors] == ["'*'", "'?'"]


def test_one_group_may_be_required() -> None:
    with pytest.raises(InputError, match="`highlight` 'a;b' has 2 groups where one is expected"):
        parse_group("a;b", TOKENS)


def test_a_label_is_one_item_and_no_class() -> None:
    assert parse_label("vowels", TOKENS) is None
    assert parse_label("a,b", TOKENS) is None
    assert parse_label("", TOKENS) is None
    assert parse_label("comma", TOKENS) == TOKENS.index(",")


def test_a_highlight_is_split_as_it_is_parsed() -> None:
    assert split_highlight(" vowels ; a,e;;vowels") == ("vowels", "a,e")
    assert split_highlight('"a;b",c;" ;') == ('"a;b",c', '"')


def test_labels_are_written_as_pictures_show_them() -> None:
    labels = ["a", ",", " the", "1,000", "\n", "\u200b", "space", " ", 'x";y']
    assert format_highlight([range(5), [5], range(6, 9)], labels) == (
        'a,comma,␣the,"1,000",newline; U+200B; space,␣,"x"";y"'
    )


awkward = st.text(st.sampled_from('ab,;"␣ \n⏎1'), max_size=4)
spelled = st.sampled_from(
    [
        "vowels",
        "vogais",
        "espaço",
        "fim do texto",
        "space",
        "comma",
        "semicolon",
        "U+0041",
        "U+002C",
        "␣",
        "␣a",
        " a",
        '"a"',
        "",
    ]
)


@given(st.lists(st.one_of(awkward, spelled, st.text(max_size=3)), min_size=1, max_size=12, unique=True), st.data())
def test_what_is_written_is_read_back(labels: list[str], data: st.DataObject) -> None:
    indices = st.lists(st.integers(0, len(labels) - 1), min_size=1, max_size=5, unique=True).map(tuple)
    wanted = data.draw(st.lists(indices, min_size=1, max_size=4))
    text = format_highlight(wanted, labels)
    assert [group.members for group in parse_highlight(text, labels)] == wanted
    index = wanted[0][0]
    assert parse_label(format_label(index, labels), labels) == index


@given(st.text('ab,;" ␣', max_size=12), st.lists(awkward, min_size=1, max_size=6))
def test_any_text_is_parsed_or_refused_with_a_message(text: str, labels: list[str]) -> None:
    groups, errors = parse_highlight_leniently(text, labels)
    assert groups or errors
    assert all(group.members and set(group.members) <= set(range(len(labels))) for group in groups)
