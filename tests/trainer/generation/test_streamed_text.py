"""Pieces of a text join to the whole, never split a character, and end before the first stop sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from data.tokens.special_tokens import with_special_tokens
from data.tokens.subwords import SubwordTokenizer
from data.tokens.tokenizers import CharTokenizer
from data.tokens.vocabularies import learn_bpe
from trainer.generation.streamed_text import StreamedText, clean_up_spaces

quick = settings(deadline=None, max_examples=60)
BPE = learn_bpe("não é só a água que o pão põe à mão; ação e coração. " * 20, 290)


@dataclasses.dataclass(frozen=True)
class Bytes:
    """A tokenizer of bytes: most characters of other scripts are several tokens, as with byte-level sub-words."""

    def encode(self, text: str) -> NDArray[np.int64]:
        return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64)

    def decode(self, ids: ArrayLike) -> str:
        return bytes(np.asarray(ids, dtype=np.uint8)).decode(errors="replace")

    @property
    def labels(self) -> list[str]:
        return [f"<{byte}>" for byte in range(256)]

    vocab_size = 256


@quick
@given(st.binary(max_size=40), st.text(max_size=20))
def test_pieces_join_to_the_whole_text_and_never_split_a_character(noise: bytes, text: str) -> None:
    for ids in (list(noise), list(Bytes().encode(text))):
        streamed = StreamedText(Bytes())  # type: ignore[arg-type]
        pieces = [streamed.add(token) for token in ids]
        assert "".join(pieces) + streamed.finish() == Bytes().decode(ids)
    assert all("\ufffd" not in piece for piece in pieces) or "\ufffd" in text
    returned = "".join(pieces)
    assert text.startswith(returned)
    assert returned == text or "\ufffd" in text[-1:]  # of whole characters nothing waits


@quick
@given(st.lists(st.integers(0, BPE.vocab_size - 1), max_size=40), st.text(max_size=15))
def test_pieces_of_sub_words_join_to_the_whole_text(noise: list[int], text: str) -> None:
    for ids in (noise, BPE.encode(text).tolist()):
        streamed = StreamedText(BPE)
        pieces = [streamed.add(token) for token in ids]
        assert "".join(pieces) + streamed.finish() == BPE.decode(ids)
    assert text.startswith("".join(pieces))  # never half a character


def sentence_pieces() -> SubwordTokenizer:
    """Return a tokenizer as Llama's: a sign for a space, none at the beginning of a text, and bytes for other characters."""
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *"▁abc", "▁a", "▁b", "bc"]
    merges = [("▁", "a"), ("▁", "b"), ("b", "c")]
    engine = Tokenizer(
        models.BPE({name: i for i, name in enumerate(names)}, merges, unk_token="<unk>", byte_fallback=True)
    )
    engine.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    engine.decoder = decoders.Sequence(parts)
    return SubwordTokenizer(engine.to_str())


def words_with_ends() -> SubwordTokenizer:
    """Return a tokenizer as GPT-1's, whose tokens say where a word ends."""
    engine = Tokenizer(
        models.BPE(
            {name: i for i, name in enumerate(["a", "b", "c", "a</w>", "b</w>", "c</w>"])},
            [],
            end_of_word_suffix="</w>",
        )
    )
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.decoder = decoders.BPEDecoder(suffix="</w>")
    return SubwordTokenizer(engine.to_str())


def metaspaces() -> SubwordTokenizer:
    engine = Tokenizer(models.BPE({name: i for i, name in enumerate(["▁", "a", "b", "c"])}, []))
    engine.pre_tokenizer, engine.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return SubwordTokenizer(engine.to_str())


def streamed_after(tokenizer: Any, prompt: list[int], ids: list[int]) -> str:
    text = StreamedText.after(prompt, tokenizer)
    return "".join([*(text.add(token) for token in ids), text.finish()])


@pytest.mark.parametrize("make", [sentence_pieces, words_with_ends, metaspaces])
def test_prompt_and_continuation_join_as_the_tokenizer_decodes_both(
    make: Callable[[], SubwordTokenizer],
) -> None:
    tokenizer = make()
    ids = tokenizer.encode("ab bc c a bca bc  abc a").tolist()
    for n_prompt in range(1, len(ids)):
        returned = tokenizer.decode(ids[:n_prompt]) + streamed_after(tokenizer, ids[:n_prompt], ids[n_prompt:])
        assert returned == tokenizer.decode(ids)


def test_a_stop_sequence_may_start_with_the_space_after_the_prompt() -> None:
    tokenizer = sentence_pieces()
    text = StreamedText.after(tokenizer.encode("ab").tolist(), tokenizer, stop=(" b",))
    assert text.add(tokenizer.labels.index(" b")) == ""
    assert text.is_stopped


@quick
@given(st.text("ab 🙂é日", max_size=8), st.text("ab 🙂é日", max_size=12))
def test_characters_of_several_byte_tokens_are_returned_whole(prompt: str, text: str) -> None:
    for tokenizer in (sentence_pieces(), BPE):
        before, ids = tokenizer.encode(prompt).tolist(), tokenizer.encode(prompt + text).tolist()
        if ids[: len(before)] != before:
            continue  # the prompt's last letters belong to a token with those of the text
        assert tokenizer.decode(before) + streamed_after(tokenizer, before, ids[len(before) :]) == tokenizer.decode(ids)


def test_bytes_that_never_become_a_character_are_returned() -> None:
    text, byte = StreamedText(sentence_pieces()), sentence_pieces().labels.index("<0xFF>")
    assert "".join(text.add(byte) for _ in range(9)) == "\ufffd" * 6


def test_a_special_token_can_be_a_stop_sequence() -> None:
    tokenizer = with_special_tokens(BPE, ["<end>"])
    streamed = StreamedText(tokenizer, stop=("<end>",))
    returned = [streamed.add(int(token)) for token in tokenizer.encode("pão<end>")]
    assert streamed.is_stopped
    assert "".join(returned) == "pão"


@quick
@given(
    st.text("abc", max_size=40),
    st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=3),
)
def test_a_text_ends_before_its_first_stop_sequence_and_nothing_is_returned_too_early(
    text: str, stops: list[str]
) -> None:
    letters = CharTokenizer("abc")
    streamed, returned, n_read = StreamedText(letters, tuple(stops)), "", 0
    for token in letters.encode(text):
        if streamed.is_stopped:
            break
        returned += streamed.add(int(token))
        n_read += 1
    if not streamed.is_stopped:
        returned += streamed.finish()
    ends = [n for n in range(1, len(text) + 1) if any(text[:n].endswith(stop) for stop in stops)]
    if not ends:
        assert returned == text
        return
    assert streamed.is_stopped
    assert n_read == ends[0]  # it stops at the token that completes the first one
    begins = min(text[: ends[0]].find(stop) for stop in stops if stop in text[: ends[0]])
    assert returned == text[:begins]


def test_a_stop_sequence_across_tokens_and_characters_is_found() -> None:
    streamed = StreamedText(Bytes(), stop=("é!",))  # type: ignore[arg-type]
    pieces = [streamed.add(token) for token in Bytes().encode("café é!x")]
    assert "".join(pieces[:-1]) == "café "
    assert streamed.is_stopped


SPACED = st.lists(
    st.sampled_from([*" .?!,'nmtsver", *"ah\n", " ' ", " n't", " 's", " 've", " n ' t", "  ' "]), max_size=25
)


@settings(deadline=None, max_examples=300)
@given(SPACED)
def test_cleaned_pieces_join_to_what_hugging_face_prints(parts: list[str]) -> None:
    text = "".join(parts)
    tokenizer = CharTokenizer.from_text("".join(sorted(set(text))) or "a")
    streamed = StreamedText(tokenizer, clean_up_spaces=True)
    pieces = [streamed.add(int(token)) for token in tokenizer.encode(text)]
    expected = transformers.PreTrainedTokenizerBase.clean_up_tokenization(None, text)
    assert "".join(pieces) + streamed.finish() == expected
    assert clean_up_spaces(text) == expected


def test_the_text_of_gpt1_is_printed_as_hugging_face_prints_it() -> None:
    end = "my dog is cute and i 'm going to take him , is n't it ? \" he 's mine ."
    words = end.split(" ")
    tokens = sorted({f"{word}</w>" for word in words} | set("".join(words)))
    engine = Tokenizer(models.BPE({name: i for i, name in enumerate(tokens)}, [], unk_token=tokens[0]))
    engine.decoder = decoders.BPEDecoder(suffix="</w>")
    ours = SubwordTokenizer(engine.to_str())
    ids = [tokens.index(f"{word}</w>") for word in words]
    streamed = StreamedText.after(ids[:5], ours, clean_up_spaces=True)
    written = "".join(streamed.add(i) for i in ids[5:]) + streamed.finish()
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_object=engine, clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output=True
    )
    expected = theirs.decode(ids, clean_up_tokenization_spaces=True)
    assert ours.decode(ids[:5]) + written == expected
    assert expected == "my dog is cute and i'm going to take him, isn't it? \" he's mine."


def test_a_stop_sequence_is_searched_in_the_text_that_is_printed() -> None:
    tokenizer = CharTokenizer("abim' .")
    streamed = StreamedText(tokenizer, ("i'm",), clean_up_spaces=True)
    written = "".join(streamed.add(int(token)) for token in tokenizer.encode("ab i 'm b"))
    assert written == "ab "
    assert streamed.is_stopped
