"""Sub-words cut as Hugging Face's own classes and tiktoken cut, and give every text back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from data.errors import InputError
from data.tokens.subwords import SubwordTokenizer, byte_alphabet
from data.tokens.tokenizers import known_part, tokenizer_from_json
from data.tokens.vocabularies import learn_bpe
from tests.conftest import made_text

LEARNED = learn_bpe(made_text() + " it's we'll  two   spaces\n\n\tend ", 420)

# Whatever a text may hold; spaces, line ends and half-known letters more often than by chance.
ANY_TEXT = st.text(st.one_of(st.sampled_from(" \n\t\xa0'seé🙂Ġ"), st.characters(exclude_categories=("Cs",))))


@settings(deadline=None)  # the first call loads the library
@given(ANY_TEXT)
def test_a_text_comes_back_exactly(text: str) -> None:
    assert LEARNED.decode(LEARNED.encode(text)) == text


@settings(deadline=None)  # the first call loads the library
@given(ANY_TEXT)
def test_a_text_is_cut_as_the_library_cuts_it_whole(text: str) -> None:
    """Words are cut one by one here; that must not show."""
    whole = Tokenizer.from_str(LEARNED.definition).encode(text, add_special_tokens=False)
    assert LEARNED.encode(text).tolist() == whole.ids


def test_tiktoken_cuts_alike_and_gives_the_same_ids() -> None:
    assert LEARNED.token_bytes is not None
    pattern = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
    ranks = {token: i for i, token in enumerate(LEARNED.token_bytes)}
    oracle = tiktoken.Encoding("oracle", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    for text in (made_text(3000, seed=7), "Não é? 🙂 it's  three   spaces\n\n\tend ", " ", ""):
        assert LEARNED.encode(text).tolist() == oracle.encode_ordinary(text)
        assert LEARNED.decode(oracle.encode_ordinary(text)) == text


@settings(deadline=None)  # the first call loads the library
@given(st.lists(st.integers(0, LEARNED.vocab_size - 1)))
def test_any_ids_become_a_text_as_the_library_makes_it(ids: list[int]) -> None:
    assert LEARNED.decode(ids) == Tokenizer.from_str(LEARNED.definition).decode(ids, skip_special_tokens=False)


def test_half_a_character_is_shown_as_such() -> None:
    first, *_ = ids = learn_bpe("abc", 256).encode("é")
    assert len(ids) == 2
    assert learn_bpe("abc", 256).decode([first]) == "�"


def test_labels_are_the_texts_of_the_tokens_and_all_different() -> None:
    labels = LEARNED.labels
    assert len(labels) == LEARNED.vocab_size == len(set(labels))
    assert labels[byte_alphabet_place(ord("a"))] == "a"
    assert labels[byte_alphabet_place(0xC3)] == "<0xC3>"
    whole = [i for i, label in enumerate(labels) if "<0x" not in label]
    assert [LEARNED.decode([i]) for i in whole] == [labels[i] for i in whole]
    assert any(label.startswith(" ") and len(label) > 2 for label in labels)


def byte_alphabet_place(byte: int) -> int:
    return list(byte_alphabet().values()).index(byte)


def test_two_tokens_of_the_same_text_are_distinguished_by_their_own_names() -> None:
    engine = Tokenizer(models.WordLevel({"▁a": 0, " a": 1, "b": 2, "<unk>": 3}, unk_token="<unk>"))
    engine.decoder = decoders.Metaspace()
    assert SubwordTokenizer(engine.to_str()).labels == ["▁a", " a", "b", "<unk>"]


def test_signs_for_spaces_become_spaces_in_labels() -> None:
    engine = Tokenizer(models.BPE({"▁the": 0, "e": 1, "▁": 2}, [], unk_token=None))
    engine.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    assert SubwordTokenizer(engine.to_str()).labels == [" the", "e", " "]


def test_ids_that_are_left_out_are_named_as_unused() -> None:
    engine = Tokenizer(models.WordLevel({"a": 0, "b": 3}, unk_token="a"))
    assert SubwordTokenizer(engine.to_str()).labels == ["a", "[unused 1]", "[unused 2]", "b"]


def test_padding_and_truncation_of_a_file_are_not_used() -> None:
    engine = Tokenizer.from_str(LEARNED.definition)
    engine.enable_truncation(3)
    engine.enable_padding(length=50)
    text = made_text(500)
    assert SubwordTokenizer(engine.to_str()).encode(text).tolist() == LEARNED.encode(text).tolist()


def test_a_prefix_that_a_file_puts_before_words_is_kept() -> None:
    engine = Tokenizer.from_str(LEARNED.definition)
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer = SubwordTokenizer(engine.to_str())
    assert tokenizer.encode("ba co").tolist() == LEARNED.encode(" ba co").tolist()


def test_a_file_from_before_a_field_was_known_is_read_as_the_library_reads_it() -> None:
    """GPT-2's own file has no field ``use_regex``, because it is older than the field."""
    older = json.loads(LEARNED.definition)
    del older["pre_tokenizer"]["use_regex"], older["decoder"]["use_regex"]
    tokenizer = SubwordTokenizer(json.dumps(older))
    text = made_text(500) + " it's  the\n end"
    assert tokenizer.encode(text).tolist() == LEARNED.encode(text).tolist()
    assert (tokenizer.labels, tokenizer.special_tokens) == (LEARNED.labels, {})


@pytest.mark.parametrize("wrong", [-1, LEARNED.vocab_size, 10**12])
def test_an_id_out_of_range_is_named_with_its_place(wrong: int) -> None:
    with pytest.raises(
        InputError, match=f"id {wrong} at position 1 is not in the vocabulary: its 420 tokens have the ids 0 to 419"
    ):
        LEARNED.decode([0, wrong])


def test_half_a_surrogate_pair_is_named_with_its_place() -> None:
    with pytest.raises(InputError, match=r"U\+D800 at position 2, half of a surrogate pair"):
        LEARNED.encode("ab\ud800")


def test_a_character_without_a_token_is_named() -> None:
    """So it is with characters that were exported: there is no token for unknown ones."""
    engine = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token=""))
    engine.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer = SubwordTokenizer(engine.to_str())
    assert tokenizer.encode("abba").tolist() == [0, 1, 1, 0]
    with pytest.raises(InputError, match=r"the vocabulary has no token for 'ß' .*: leave it out") as mistake:
        tokenizer.encode("abß")
    assert "\n" not in str(mistake.value)
    assert known_part(tokenizer, "abßa") == "aba"


def test_nothing_in_gives_nothing_out() -> None:
    assert LEARNED.encode("").shape == (0,)
    assert LEARNED.encode("").dtype == np.int64
    assert LEARNED.decode([]) == ""


def test_a_description_passes_through_json() -> None:
    again = tokenizer_from_json(json.loads(json.dumps(LEARNED.to_json())))
    assert again == LEARNED
    assert again.encode("bacode").tolist() == LEARNED.encode("bacode").tolist()


@pytest.mark.parametrize("definition", ["", "{}", "[1]", '{"model": 3}', Path(__file__).read_text()])
def test_what_is_no_tokenizer_is_refused_in_one_line(definition: str) -> None:
    with pytest.raises(InputError, match="the tokenizer cannot be read"):
        SubwordTokenizer(definition)


def test_a_reference_to_a_file_says_how_it_is_read() -> None:
    with pytest.raises(InputError, match=r"open_run\(name\).tokenizer"):
        tokenizer_from_json({"kind": "subwords", "file": "tokenizer.json", "sha256": "0"})
