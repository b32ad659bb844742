"""Vocabularies: learned by hand's rules, read as Hugging Face's classes read them, refused in one line."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import tiktoken
from transformers import GPT2Tokenizer, OpenAIGPTTokenizer

from data.errors import InputError
from data.tokens.subwords import SubwordTokenizer, byte_alphabet
from data.tokens.vocabularies import END_OF_TEXT, gpt2_tokenizer, learn_bpe, read_tokenizer
from tests.commands import ROOT, command_environment
from tests.conftest import made_text

TEXT = made_text()
LEARNED = learn_bpe(TEXT, 400)


def merges_of(tokenizer: SubwordTokenizer) -> list[tuple[str, str]]:
    return [tuple(pair) for pair in json.loads(tokenizer.definition)["model"]["merges"]]


def write_gpt2(folder: Path, vocab_name: str | None, merges_name: str) -> Path:
    """Write what OpenAI or Hugging Face give out of GPT-2's tokenizer, with a learned vocabulary."""
    folder.mkdir(exist_ok=True)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges_of(LEARNED))]
    (folder / merges_name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    if vocab_name:
        vocab = json.loads(LEARNED.definition)["model"]["vocab"] | {END_OF_TEXT: LEARNED.vocab_size}
        (folder / vocab_name).write_text(json.dumps(vocab), encoding="utf-8")
    return folder


def test_what_is_learned_is_the_most_frequent_pair_in_turn() -> None:
    """By hand: count the pairs of the words, join the most frequent, begin again (Sennrich et al. 2016, algorithm 1)."""
    words = Counter(itertools.chain(["banana"], [" banana"] * 3, [" bandana"] * 2, [" nab"]))
    text = "banana banana bandana banana bandana nab banana"
    letters = {byte: letter for letter, byte in byte_alphabet().items()}
    spelled = {tuple(letters[b] for b in word.encode()): n for word, n in words.items()}
    merges = merges_of(learn_bpe(text, 262))
    for pair in merges:
        counts = Counter[tuple[str, str]]()
        for word, n in spelled.items():
            for two in itertools.pairwise(word):
                counts[two] += n
        assert counts[pair] == max(counts.values()) >= 2
        spelled = {joined(word, pair): n for word, n in spelled.items()}
    assert len(merges) == 6


def joined(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    parts = list(word)
    for i in range(len(parts) - 1):
        if i < len(parts) - 1 and (parts[i], parts[i + 1]) == pair:
            parts[i : i + 2] = ["".join(pair)]
    return tuple(parts)


def test_the_same_text_gives_the_same_vocabulary_in_any_process_and_on_any_number_of_threads() -> None:
    code = "from data.tokens.vocabularies import learn_bpe; from tests.conftest import made_text; import hashlib; "
    code += "print(hashlib.sha256(learn_bpe(made_text(), 400).definition.encode()).hexdigest())"
    vocabularies = set()
    for threads in ("1", "4"):
        env = command_environment(PYTHONPATH=str(ROOT), RAYON_NUM_THREADS=threads, PYTHONHASHSEED=threads)
        vocabularies.add(
            subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
        )
    assert len(vocabularies) == 1
    assert learn_bpe(TEXT, 400) == LEARNED


def test_a_text_too_short_for_so_many_tokens_says_how_many_it_gives() -> None:
    with pytest.warns(UserWarning, match="gives 258 sub-words and not 5,000: no other pair occurs twice"):
        assert learn_bpe("abab abab", 5000).vocab_size == 258


def test_fewer_tokens_than_bytes_are_refused() -> None:
    with pytest.raises(InputError, match="has its 256 bytes at least; got 255: pass `vocab_size=2048`"):
        learn_bpe(TEXT, 255)
    assert learn_bpe(TEXT, 256).vocab_size == 256


@pytest.mark.parametrize(
    ("vocab", "merges", "given"),
    [
        ("vocab.json", "merges.txt", ""),
        ("vocab.json", "merges.txt", "vocab.json"),
        ("vocab.json", "merges.txt", "merges.txt"),
        ("encoder.json", "vocab.bpe", ""),
        ("encoder.json", "vocab.bpe", "vocab.bpe"),
        (None, "vocab.bpe", "vocab.bpe"),
        (None, "merges.txt", ""),
    ],
)
def test_the_files_of_gpt2_are_read_as_hugging_faces_class_reads_them(
    vocab: str | None, merges: str, given: str, tmp_path: Path
) -> None:
    folder = write_gpt2(tmp_path / "gpt2", vocab, merges)
    whole = write_gpt2(tmp_path / "whole", "vocab.json", "merges.txt")
    oracle = GPT2Tokenizer.from_pretrained(whole)
    tokenizer = gpt2_tokenizer(folder / given)
    text = "Não é? it's  three   spaces\n\nend " + made_text(500, seed=3) + END_OF_TEXT
    assert tokenizer.encode(text).tolist() == oracle.encode(text)
    assert tokenizer.decode(oracle.encode(text)) == text
    assert tokenizer.special_tokens == {END_OF_TEXT: 400}


def test_tokens_that_were_added_to_the_files_are_read_as_hugging_faces_class_reads_them(tmp_path: Path) -> None:
    folder, added = write_gpt2(tmp_path / "gpt2", "vocab.json", "merges.txt"), tmp_path / "gpt2" / "added_tokens.json"
    added.write_text(json.dumps({"<user>": 402, "<pad>": 401, END_OF_TEXT: 400}))
    oracle, tokenizer = GPT2Tokenizer.from_pretrained(folder), read_tokenizer(folder)
    text = f"<user>hi <pad>{END_OF_TEXT}"
    assert tokenizer.encode(text).tolist() == oracle.encode(text)
    assert tokenizer.special_tokens == {END_OF_TEXT: 400, "<pad>": 401, "<user>": 402}
    assert tokenizer.decode(tokenizer.encode(text)) == text
    added.write_text(json.dumps({"<pad>": 500}))
    with pytest.raises(
        InputError, match="json gives '<pad>' the id 500, and with this vocabulary it has 401: give a tok"
    ):
        read_tokenizer(folder)


def test_a_file_of_hugging_face_is_read_whole(tmp_path: Path) -> None:
    oracle = GPT2Tokenizer.from_pretrained(write_gpt2(tmp_path / "whole", "vocab.json", "merges.txt"))
    oracle.save_pretrained(tmp_path / "saved")
    for given in (tmp_path / "saved", tmp_path / "saved" / "tokenizer.json"):
        tokenizer = read_tokenizer(given)
        assert tokenizer.encode(TEXT).tolist() == oracle.encode(TEXT)
        assert tokenizer.origin == "read from tokenizer.json"


def test_gpt1s_files_are_read_as_hugging_faces_class_reads_them(tmp_path: Path) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz,.!?'0123456789"
    vocab = ["<unk>", *letters, *(f"{letter}</w>" for letter in letters)]
    merges = [("t", "h"), ("th", "e</w>"), ("d", "o"), ("do", "g</w>"), ("c", "a")]
    vocab += ["".join(pair) for pair in merges]
    (tmp_path / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(vocab)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n")
    oracle, tokenizer = OpenAIGPTTokenizer.from_pretrained(tmp_path), read_tokenizer(tmp_path)
    for text in ("The DOG, the café!\nA 5th cat's", "日本 ~", "the"):
        assert tokenizer.encode(text).tolist() == oracle.encode(text)
        assert tokenizer.decode(tokenizer.encode(text)) == oracle.decode(oracle.encode(text))
    assert tokenizer.decode(tokenizer.encode("The DOG")) == "the dog"
    assert tokenizer.labels[tokenizer.encode("the")[0]] == "the "
    assert tokenizer.special_tokens == {"<unk>": 0}
    assert "ftfy and spaCy did not run" in tokenizer.origin


def test_gpt2s_tokenizer_comes_through_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real class with a learned vocabulary: the merges are found again from the bytes of the tokens."""
    assert LEARNED.token_bytes is not None
    pattern = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
    ranks = {token: i for i, token in enumerate(LEARNED.token_bytes)}
    made = tiktoken.Encoding("gpt2", pat_str=pattern, mergeable_ranks=ranks, special_tokens={END_OF_TEXT: 400})
    monkeypatch.setattr(tiktoken, "get_encoding", {"gpt2": made}.__getitem__)
    tokenizer = gpt2_tokenizer()
    assert merges_of(tokenizer) == merges_of(LEARNED)
    text = made_text(2000, seed=5) + END_OF_TEXT
    assert tokenizer.encode(text).tolist() == made.encode(text, allowed_special="all")


def test_gpt2_without_a_connection_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ConnectionError("a paragraph\nof reasons")

    monkeypatch.setattr(tiktoken, "get_encoding", fail)
    with pytest.raises(InputError, match=r"cannot be fetched \(ConnectionError\): .*`tokenizer_file`"):
        gpt2_tokenizer()
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(InputError, match=r"pip install 'gptlab\[tiktoken\]'"):
        gpt2_tokenizer()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", "{", "cannot be used"),
        ("tokenizer.json", "{}", "cannot be used"),
        ("vocab.bpe", "#version: 0.2\na b\nabc\n", "has the line 'abc'"),
        ("merges.txt", "", "has no pair"),
        ("vocab.bpe", "é q x\n", "has the line 'é q x'"),
        ("merges.txt", "zz yy\n", "cannot be used"),
        ("vocab.json", "{}", "needs merges.txt beside it"),
    ],
)
def test_a_damaged_file_is_named_in_one_line(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as refusal:
        read_tokenizer(tmp_path / name)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_and_an_empty_folder_are_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.json cannot be read \(No such file or directory\)"):
        read_tokenizer(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"holds no tokenizer: it needs tokenizer.json, or merges.txt, or vocab.bpe"):
        read_tokenizer(tmp_path)
    (tmp_path / "vocab.bpe").write_bytes(os.urandom(100) + b"\xff")
    with pytest.raises(InputError, match="it is not UTF-8"):
        read_tokenizer(tmp_path)
