"""The same tokens with and without a cache, alone and among others, streamed or not; texts that stop where they should."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from data.errors import InputError
from data.tokens.special_tokens import with_special_tokens
from data.tokens.subwords import SubwordTokenizer
from data.tokens.tokenizers import CharTokenizer
from data.tokens.vocabularies import learn_bpe
from tests.trainer.pretrained.readers.test_families import GPT1, GPT2, NANO
from tests.trainer.test_model import SMALL, made_model, made_tokens
from trainer.config import ModelConfig
from trainer.generation.filters import Decoding, probabilities
from trainer.generation.generation_request import GenerationRequest, Window, window_start
from trainer.generation.kv_cache import CachedGPT, UncachedModel
from trainer.generation.sampling import DecodingStep, generate_samples, sample_tokens, stream_text
from trainer.generation.streamed_text import StreamedText

LETTERS = CharTokenizer("abcdefghij\n")
FORMS = pytest.mark.parametrize("config", [SMALL, GPT1, GPT2, NANO], ids=["ours", "GPT-1", "GPT-2", "nanoGPT"])
quick = settings(deadline=None, max_examples=60)
WINDOWS: Sequence[Window] = ("slide", "half")


def tokens(choices: Sequence[DecodingStep]) -> NDArray[np.int64]:
    return np.array([choice.tokens for choice in choices])  # (position, sample)


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
def test_reading_with_a_cache_gives_the_logits_of_the_whole_model(config: ModelConfig, window: Window) -> None:
    model, block = made_model(config), config.block_size
    ids = torch.cat([made_tokens(config), made_tokens(config, seed=1), made_tokens(config, seed=2)], dim=1)
    cached, afresh = CachedGPT(model, len(ids)), UncachedModel(model)
    for n in range(5, ids.shape[1]):  # growing into the context and far beyond it
        start = window_start(n, 5, block, window)
        expected = model(ids[:, start:n])[0][:, -1]
        torch.testing.assert_close(cached.next_logits(ids[:, :n], start), expected, rtol=0, atol=1e-10)
        torch.testing.assert_close(afresh.next_logits(ids[:, :n], start), expected, rtol=0, atol=0)


def test_a_cache_that_is_given_another_text_reads_it_anew() -> None:
    model = made_model()
    first, second = made_tokens()[:, :9], made_tokens(seed=1)[:, :7]
    cached = CachedGPT(model, len(first))
    cached.next_logits(first, 0)
    torch.testing.assert_close(cached.next_logits(second, 0), model(second)[0][:, -1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("n_prompt", [1, 12, 30])
def test_the_same_seed_gives_the_same_tokens_with_and_without_a_cache(window: Window, n_prompt: int) -> None:
    model, prompt = made_model(dtype=torch.float32), np.resize(made_tokens().numpy(), n_prompt)
    request = GenerationRequest(n_tokens=100, n_samples=3, seed=5, window=window)
    with_cache = tokens(list(sample_tokens(model, prompt, Decoding(0.9), request)))
    without = tokens(list(sample_tokens(model, prompt, Decoding(0.9), dataclasses.replace(request, cache=False))))
    np.testing.assert_array_equal(with_cache, without)
    assert len(np.unique(with_cache.T, axis=0)) == 3  # the samples are different ones


@pytest.mark.parametrize("window", WINDOWS)
def test_a_sample_is_the_same_alone_and_among_others(window: Window) -> None:
    model, prompt = made_model(dtype=torch.float32), made_tokens().numpy()[0, :4]
    alone, many = (
        tokens(
            list(
                sample_tokens(
                    model, prompt, Decoding(1.2, frequency_penalty=0.3), GenerationRequest(60, n, window=window)
                )
            )
        )
        for n in (1, 7)
    )
    np.testing.assert_array_equal(alone[:, 0], many[:, 0])


def test_choices_follow_the_plain_loop_written_out() -> None:
    """The reference's loop: crop, whole forward pass, penalties by counting, draw."""
    model, decoding = (
        made_model(dtype=torch.float64),
        Decoding(0.9, top_k=6, frequency_penalty=0.5, presence_penalty=0.2),
    )
    prompt = made_tokens().numpy()[0, :5]
    uniforms, ids, expected = np.random.default_rng([3, 0]), list(prompt), []
    for _ in range(40):
        with torch.no_grad():
            logits = model(torch.tensor([ids[-SMALL.block_size :]]))[0][0, -1].numpy()
        counts = np.bincount(expected, minlength=SMALL.vocab_size) if expected else np.zeros(SMALL.vocab_size, int)
        likely = probabilities(logits.astype(np.float32), decoding, counts)
        token = int(np.argmax(likely.cumsum() > uniforms.random()))
        ids.append(token)
        expected.append(token)
    found = tokens(list(sample_tokens(model, prompt, decoding, GenerationRequest(40, seed=3))))[:, 0]
    np.testing.assert_array_equal(found, expected)


def test_greedy_decoding_takes_the_likeliest_token_whatever_the_seed() -> None:
    model, prompt = made_model(), made_tokens().numpy()[0, :5]
    found = [
        choice
        for seed in (0, 1)
        for choice in sample_tokens(model, prompt, Decoding(0), GenerationRequest(20, seed=seed))
    ]
    np.testing.assert_array_equal(tokens(found[:20]), tokens(found[20:]))
    for choice in found:
        assert choice.tokens[0] == choice.logits[0].argmax()


def test_the_model_and_the_global_random_state_are_left_alone() -> None:
    model = made_model()
    before = {name: p.clone() for name, p in model.named_parameters()}
    states = torch.random.get_rng_state(), np.random.get_state(legacy=True)
    list(sample_tokens(model, made_tokens().numpy()[0], Decoding(), GenerationRequest(5)))
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert repr(np.random.get_state(legacy=True)) == repr(states[1])
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


@quick
@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 300), st.sampled_from(WINDOWS))
def test_a_window_never_shows_more_than_the_context_nor_moves_back(
    n_prompt: int, block: int, n_more: int, window: Window
) -> None:
    starts = [window_start(n, n_prompt, block, window) for n in range(n_prompt, n_prompt + n_more + 1)]
    for n, start in enumerate(starts, n_prompt):
        assert 0 <= start < n
        assert n - start <= block
        assert n - start >= (min(n, block) if window == "slide" else min(n, -(-block // 2)))
    assert starts == sorted(starts)
    assert starts[0] == max(0, n_prompt - block)


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
def test_pieces_of_text_are_the_whole_text_and_never_half_a_character(noise: bytes, text: str) -> None:
    for ids in (list(noise), list(Bytes().encode(text))):
        streamed = StreamedText(Bytes())  # type: ignore[arg-type]
        pieces = [streamed.add(token) for token in ids]
        assert "".join(pieces) + streamed.finish() == Bytes().decode(ids)
    assert all("\ufffd" not in piece for piece in pieces) or "\ufffd" in text
    told = "".join(pieces)
    assert text.startswith(told)
    assert told == text or "\ufffd" in text[-1:]  # of whole characters nothing waits


BPE = learn_bpe("não é só a água que o pão põe à mão; ação e coração. " * 20, 290)


@quick
@given(st.lists(st.integers(0, BPE.vocab_size - 1), max_size=40), st.text(max_size=15))
def test_pieces_of_sub_words_are_the_whole_text(noise: list[int], text: str) -> None:
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
def test_a_text_goes_on_from_its_prompt_as_the_tokenizer_writes_both_together(
    make: Callable[[], SubwordTokenizer],
) -> None:
    tokenizer = make()
    ids = tokenizer.encode("ab bc c a bca bc  abc a").tolist()
    for n_prompt in range(1, len(ids)):
        told = tokenizer.decode(ids[:n_prompt]) + streamed_after(tokenizer, ids[:n_prompt], ids[n_prompt:])
        assert told == tokenizer.decode(ids)


def test_what_is_generated_is_joined_to_the_prompt_as_the_tokenizer_writes_both_together() -> None:
    model, tokenizer, request = made_model(dtype=torch.float32), metaspaces(), GenerationRequest(9, 6)
    prompt = tokenizer.encode("ab c")
    chosen = tokens(list(sample_tokens(model, prompt, Decoding(2.0), request, tokenizer.vocab_size))).T
    assert tokenizer.labels.index(" ") in chosen[:, 0]
    for row, sample in zip(chosen, generate_samples(model, tokenizer, "ab c", Decoding(2.0), request), strict=True):
        assert "ab c" + sample.text == tokenizer.decode([*prompt, *row])


def test_a_space_right_behind_the_prompt_can_be_what_stops() -> None:
    tokenizer = sentence_pieces()
    text = StreamedText.after(tokenizer.encode("ab").tolist(), tokenizer, stop=(" b",))
    assert text.add(tokenizer.labels.index(" b")) == ""
    assert text.is_stopped


@quick
@given(st.text("ab 🙂é日", max_size=8), st.text("ab 🙂é日", max_size=12))
def test_characters_that_fall_back_to_bytes_are_told_whole(prompt: str, text: str) -> None:
    for tokenizer in (sentence_pieces(), BPE):
        before, ids = tokenizer.encode(prompt).tolist(), tokenizer.encode(prompt + text).tolist()
        if ids[: len(before)] != before:
            continue  # the prompt's last letters belong to a token with those of the text
        assert tokenizer.decode(before) + streamed_after(tokenizer, before, ids[len(before) :]) == tokenizer.decode(ids)


def test_halves_that_never_become_a_character_do_not_wait_for_ever() -> None:
    text, byte = StreamedText(sentence_pieces()), sentence_pieces().labels.index("<0xFF>")
    assert "".join(text.add(byte) for _ in range(9)) == "\ufffd" * 6


def test_a_special_token_can_be_what_stops() -> None:
    tokenizer = with_special_tokens(BPE, ["<end>"])
    streamed = StreamedText(tokenizer, stop=("<end>",))
    told = [streamed.add(int(token)) for token in tokenizer.encode("pão<end>")]
    assert streamed.is_stopped
    assert "".join(told) == "pão"


@quick
@given(
    st.text("abc", max_size=40),
    st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=3),
)
def test_a_text_ends_before_its_first_stop_sequence_and_nothing_is_told_too_early(text: str, stops: list[str]) -> None:
    letters = CharTokenizer("abc")
    streamed, told, n_read = StreamedText(letters, tuple(stops)), "", 0
    for token in letters.encode(text):
        if streamed.is_stopped:
            break
        told += streamed.add(int(token))
        n_read += 1
    if not streamed.is_stopped:
        told += streamed.finish()
    ends = [n for n in range(1, len(text) + 1) if any(text[:n].endswith(stop) for stop in stops)]
    if not ends:
        assert told == text
        return
    assert streamed.is_stopped
    assert n_read == ends[0]  # it stops at the token that completes the first one
    begins = min(text[: ends[0]].find(stop) for stop in stops if stop in text[: ends[0]])
    assert told == text[:begins]


def test_a_stop_sequence_across_tokens_and_characters_is_found() -> None:
    streamed = StreamedText(Bytes(), stop=("é!",))  # type: ignore[arg-type]
    pieces = [streamed.add(token) for token in Bytes().encode("café é!x")]
    assert "".join(pieces[:-1]) == "café "
    assert streamed.is_stopped


def test_streamed_text_is_the_text_of_the_tokens_and_of_waiting_for_all() -> None:
    model, request = made_model(dtype=torch.float32), GenerationRequest(80, 3, seed=2, stop=("ab", "j\n"))
    chosen = tokens(list(sample_tokens(model, LETTERS.encode("abc"), Decoding(), request))).T
    texts, ends = [""] * 3, [""] * 3
    for piece in stream_text(model, LETTERS, "abc", decoding=Decoding(), request=request):
        assert not ends[piece.sample], "nothing comes after the end"
        texts[piece.sample] += piece.text
        ends[piece.sample] = piece.end or ""
    for row, text, end in zip(chosen, texts, ends, strict=True):
        whole = LETTERS.decode(row)
        cut = min((whole.find(stop) for stop in request.stop if stop in whole), default=len(whole))
        assert text == whole[:cut]
        assert end == ("stop" if cut < len(whole) else "length")
    assert "stop" in ends
    samples = generate_samples(model, LETTERS, "abc", Decoding(), request)
    assert [(sample.text, sample.end) for sample in samples] == list(zip(texts, ends, strict=True))


def test_who_watches_sees_every_choice_of_the_samples_that_still_go() -> None:
    model, seen = made_model(dtype=torch.float32), list[list[int]]()
    request = GenerationRequest(80, 3, seed=2, stop=("ab", "j\n"))
    lengths = [0, 0, 0]
    list(
        stream_text(
            model,
            LETTERS,
            "abc",
            decoding=Decoding(),
            request=request,
            on_step=lambda step, active: seen.append(list(active)),
        )
    )
    for going in seen:
        for number in going:
            lengths[number] += 1
    assert seen[0] == [0, 1, 2]
    whole = [sample.end for sample in generate_samples(model, LETTERS, "abc", Decoding(), request)]
    assert [length == 80 for length in lengths] == [end == "length" for end in whole]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"n_tokens": 0}, "the number of tokens must be between 1 and 1,000,000; got 0"),
        ({"n_samples": 0}, "the number of samples must be between 1 and 256; got 0"),
        ({"seed": -1}, "the seed must be 0 or more; got -1"),
        (
            {"stop": ("a", "")},
            "a stop sequence is empty, and would end every text at once: give at least one character",
        ),
        ({"window": "whole"}, "there is no window 'whole'; there is slide, half"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_by_name(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=f"^{told}$"):
        GenerationRequest(**wrong)  # type: ignore[arg-type]


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(InputError, match="the prompt is empty"):
        next(sample_tokens(made_model(), np.array([], dtype=np.int64), Decoding(), GenerationRequest(3)))
