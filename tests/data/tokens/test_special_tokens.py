"""Special tokens join any vocabulary, come after it, and pass through a description and a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.runs import Run, create_run
from data.tokens.special_tokens import with_special_tokens
from data.tokens.tokenizers import CharTokenizer, Tokenizer, tokenizer_from_json
from data.tokens.vocabularies import END_OF_TEXT, learn_bpe, read_tokenizer
from tests.conftest import made_text

TEXT = made_text()
BASES: list[Tokenizer] = [CharTokenizer.from_text(TEXT + "<>|starend_"), learn_bpe(TEXT, 300)]
NAMES = ["<start>", "<|end|>", "<start>_"]


@pytest.mark.parametrize("base", BASES)
@settings(deadline=None)  # the first call loads the library
@given(st.lists(st.sampled_from([*NAMES, "ba", " co", "<", "start>", "_"]), max_size=8))
def test_a_text_with_special_tokens_comes_back_and_the_rest_is_cut_as_before(base: Tokenizer, parts: list[str]) -> None:
    tokenizer, text = with_special_tokens(base, NAMES), "".join(parts)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    if not any(name in text for name in NAMES):
        assert ids.tolist() == base.encode(text).tolist()


@pytest.mark.parametrize("base", BASES)
def test_special_tokens_come_after_the_vocabulary_in_turn(base: Tokenizer) -> None:
    n = base.vocab_size
    tokenizer = with_special_tokens(base, NAMES)
    assert tokenizer.special_tokens == {name: n + i for i, name in enumerate(NAMES)}
    assert tokenizer.vocab_size == n + 3
    assert tokenizer.labels == [*base.labels, *NAMES]
    assert tokenizer.encode("<start>ba<|end|><start>_").tolist() == [n, *base.encode("ba"), n + 1, n + 2]
    more = with_special_tokens(tokenizer, ["<|end|>", "<more>"])
    assert more.special_tokens["<|end|>"] == n + 1
    assert more.special_tokens["<more>"] == n + 3
    assert with_special_tokens(more, NAMES) is more


def test_a_special_token_of_the_vocabulary_keeps_its_id(tmp_path: Path) -> None:
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\na n\nan a\n")
    tokenizer = read_tokenizer(tmp_path)
    assert tokenizer.special_tokens == {END_OF_TEXT: 258}
    assert with_special_tokens(tokenizer, [END_OF_TEXT]) is tokenizer
    assert with_special_tokens(tokenizer, [END_OF_TEXT, "<x>"]).special_tokens == {END_OF_TEXT: 258, "<x>": 259}


@pytest.mark.parametrize("base", BASES)
def test_special_tokens_pass_through_a_description_and_a_run(base: Tokenizer, tmp_path: Path) -> None:
    tokenizer = with_special_tokens(base, NAMES)
    assert tokenizer_from_json(json.loads(json.dumps(tokenizer.to_json()))) == tokenizer
    create_run("special", {"tokenizer": tokenizer.to_json()}, tmp_path)
    assert Run(tmp_path / "special").tokenizer == tokenizer


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("wrong", [-1, 10**6])
def test_an_id_out_of_range_is_refused(base: Tokenizer, wrong: int) -> None:
    tokenizer = with_special_tokens(base, NAMES)
    with pytest.raises(
        InputError, match=f"id {wrong} at position 2 is not in the vocabulary: its {tokenizer.vocab_size} tokens"
    ):
        tokenizer.decode([0, tokenizer.special_tokens["<start>"], wrong])
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize(
    ("names", "message"),
    [(["a"], "'a' is already a token of the vocabulary"), ([""], "has no name"), (["<x>", "<x>"], "named twice")],
)
def test_names_that_cannot_be_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        with_special_tokens(CharTokenizer("abc"), names)
