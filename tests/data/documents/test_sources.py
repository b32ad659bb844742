"""Documents: where they come from, what is left out and counted, and the errors when they cannot be read."""

from __future__ import annotations

import contextlib
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.corpora.catalog import load_corpus
from data.documents.document_tokens import encode_documents
from data.documents.sources import Documents, check_source_options, hold_out, paragraphs, read_documents
from data.errors import InputError
from data.tokens.special_tokens import with_special_tokens
from data.tokens.tokenizers import CharTokenizer
from data.tokens.vocabularies import END_OF_TEXT

JOKES = ["Why? Because.", "A horse walks into a bar.", "Knock, knock."]


def table(folder: Path, column: str = "Joke", texts: list[object] | None = None, name: str = "jokes.csv") -> Path:
    texts = list(JOKES) if texts is None else texts
    path = folder / name
    frame = pd.DataFrame({"ID": range(1, len(texts) + 1), column: texts})
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def made(*texts: str) -> Documents:
    return Documents("made", "en", "made here", texts, "0")


def test_jokes_are_those_of_pyjokes() -> None:
    import pyjokes

    documents = read_documents("jokes")
    assert list(documents.texts) == list(dict.fromkeys(pyjokes.get_jokes(category="all")))
    assert documents.prefix == "JOKE: "
    assert read_documents("jokes", language="de").texts[0] in pyjokes.get_jokes(language="de", category="all")
    with pytest.raises(InputError, match=r"no jokes in 'pt': pass `language` with one of cs, de, en, es"):
        read_documents("jokes", language="pt")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_with_id_and_joke_gives_its_jokes(tmp_path: Path, suffix: str) -> None:
    documents = read_documents(str(table(tmp_path, name=f"short.{suffix}")))
    assert list(documents.texts) == JOKES
    assert (documents.name, documents.prefix) == ("short", "JOKE: ")


def test_a_joke_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    texts = ['She said, "no".', "one\ntwo", "ação"]
    assert list(read_documents(str(table(tmp_path, texts=list(texts)))).texts) == texts


def test_the_column_of_another_table_is_named(tmp_path: Path) -> None:
    path = table(tmp_path, column="body")
    with pytest.raises(InputError, match=r"no column called Joke or text; it has ID, body: name one .* `text_column`"):
        read_documents(str(path))
    with pytest.raises(InputError, match=r"no column 'Body'; it has ID, body"):
        read_documents(str(path), text_column="Body")
    documents = read_documents(str(path), text_column="body")
    assert list(documents.texts) == JOKES
    assert documents.prefix == ""


def test_empty_and_doubled_texts_are_left_out_and_counted(tmp_path: Path) -> None:
    texts = [*JOKES, "", None, "  ", JOKES[0], JOKES[0] + " "]
    documents = read_documents(str(table(tmp_path, texts=texts)))
    assert list(documents.texts) == JOKES
    assert (documents.empty, documents.doubled) == (3, 2)


def test_a_text_is_cut_at_blank_lines_or_else_at_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a\nb\n\n\nc\n \nd\n", encoding="utf-8")
    assert read_documents(str(path)).texts == ("a\nb", "c", "d")
    path.write_text("a\nb\nc\n", encoding="utf-8")
    assert read_documents(str(path)).texts == ("a", "b", "c")


@given(parts=st.lists(st.text("ab\n", min_size=1).filter(lambda part: part.strip("\n") == part and "\n\n" not in part)))
def test_paragraphs_are_what_was_joined_by_blank_lines(parts: list[str]) -> None:
    if len(parts) > 1:
        assert paragraphs("\n\n".join(parts)) == parts


def test_a_named_corpus_is_read_by_its_paragraphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from data.corpora import catalog

    path = tmp_path / "machado.txt"
    path.write_text("Um.\n\nDois.\n", encoding="utf-8")
    monkeypatch.setattr(catalog, "fetch_corpus", lambda name, corpus_dir: path)
    documents = read_documents("machado")
    assert documents.texts == ("Um.", "Dois.")
    assert documents.sha256 == load_corpus("machado").sha256


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "there is no corpus 'nowhere': known are jokes, shakespeare"),
        ("nowhere.csv", "there is no file nowhere.csv"),
        ("nowhere.parquet", "there is no file nowhere.parquet"),
        ("folder/nowhere.txt", "there is no file folder/nowhere.txt"),
    ],
)
def test_a_source_that_is_not_there_is_named(source: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_documents(source)


@pytest.mark.parametrize("source", ["jokes", "hf:jokes", "who/jokes", "jokes.csv", "jokes.txt", "machado"])
def test_an_option_that_does_not_apply_to_the_source_is_refused(source: str) -> None:
    check_source_options(source)
    is_hub, is_table = source in ("hf:jokes", "who/jokes"), source == "jokes.csv"
    options: tuple[tuple[dict[str, str], bool], ...] = (
        ({"language": "de"}, source == "jokes"),
        ({"split": "test"}, is_hub),
        ({"text_column": "Joke"}, is_hub or is_table),
    )
    for option, applies in options:
        with contextlib.nullcontext() if applies else pytest.raises(InputError, match="leave it out"):
            check_source_options(source, **option)  # type: ignore[arg-type]


def test_a_file_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no text \(2 entries, none with a letter\)"):
        read_documents(str(table(tmp_path, texts=["", " "], name="empty.jsonl")))
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_documents(str(broken))


def test_a_data_set_of_the_hub_needs_the_package_and_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"pip install datasets, or give the path of a CSV"):
        read_documents("someone/jokes")

    class Table(dict):  # type: ignore[type-arg]
        column_names = ("ID", "Joke")

    def load_dataset(name: str, split: str) -> Table:
        if name == "away":
            raise ConnectionError("no route\nto the hub")
        assert (name, split) == ("someone/jokes", "test")
        return Table(Joke=JOKES)

    package = types.ModuleType("datasets")
    package.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", package)
    documents = read_documents("someone/jokes", split="test")
    assert (list(documents.texts), documents.name) == (JOKES, "someone-jokes")
    with pytest.raises(
        InputError, match=r"away, split train, cannot be loaded \(no route\): download its CSV or Parquet"
    ):
        read_documents("hf:away")


@given(n=st.integers(2, 200), share=st.floats(0.001, 0.999), seed=st.integers(0, 5))
def test_each_document_is_either_learned_or_held_out(n: int, share: float, seed: int) -> None:
    learned, held_out = hold_out(n, share, seed=seed)
    assert sorted([*learned, *held_out]) == list(range(n))
    assert len(learned) >= 1
    assert len(held_out) == min(n - 1, max(1, round(share * n)))
    again = hold_out(n, share, seed=seed)
    assert (again[0] == learned).all()


@pytest.mark.parametrize(
    ("n", "share", "message"), [(9, 0.0, "between 0 and 1"), (9, 1.0, "`held_out=0.1`"), (1, 0.1, "one")]
)
def test_nothing_to_judge_by_or_to_learn_from_is_refused(n: int, share: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        hold_out(n, share, seed=0)


def test_a_document_is_prefix_text_and_end() -> None:
    tokenizer = with_special_tokens(CharTokenizer(" :JKOEabc"), [END_OF_TEXT])
    tokens = encode_documents(made("abc", "cab"), tokenizer, prefix="JOKE: ", length=10)
    texts = {tokenizer.decode(ids) for ids in (*tokens.learned, *tokens.held_out)}
    assert texts == {"JOKE: abc<|endoftext|>", "JOKE: cab<|endoftext|>"}
    assert len(tokens.held_out) == 1


def test_documents_longer_than_a_row_are_skipped_and_counted_or_cut() -> None:
    tokenizer = with_special_tokens(CharTokenizer("abcx"), [END_OF_TEXT])
    documents = made("abc", "abcabcabc", "ab", "abca")
    skipped = encode_documents(documents, tokenizer, prefix="x", length=5)
    assert (skipped.skipped, len(skipped.learned) + len(skipped.held_out)) == (2, 2)
    cut = encode_documents(documents, tokenizer, prefix="x", length=5, too_long="cut")
    assert cut.skipped == 0
    pieces = [tokenizer.decode(ids) for ids in (*cut.learned, *cut.held_out)]
    assert sorted(pieces) == sorted(
        ["xabc<|endoftext|>", "xabca", "bcabc", "c<|endoftext|>", "xab<|endoftext|>", "xabca", "a<|endoftext|>"]
    )
    sides = [{tokenizer.decode(ids) for ids in side} for side in (cut.learned, cut.held_out)]
    assert not ("bcabc" in sides[0] and "bcabc" in sides[1])
    with pytest.raises(
        InputError, match=r"all 4 documents of made here are longer than the 3 tokens .* shortest has 4"
    ):
        encode_documents(documents, tokenizer, prefix="x", length=3)
    with pytest.raises(
        InputError, match=r"all but one of the 4 documents .* the 4 tokens .* shortest has 4: pass `too_long=cut`"
    ):
        encode_documents(documents, tokenizer, prefix="x", length=4)
    with pytest.raises(InputError, match="there is only one document"):
        encode_documents(made("abc"), tokenizer, prefix="x", length=5)
    with pytest.raises(InputError, match="skip or cut; got 'split'"):
        encode_documents(documents, tokenizer, prefix="x", length=3, too_long="split")


@given(n_tokens=st.integers(2, 40), length=st.integers(2, 9))
def test_pieces_of_a_document_have_two_tokens_or_more_and_predict_each_but_their_first_once(
    n_tokens: int, length: int
) -> None:
    tokenizer = with_special_tokens(CharTokenizer("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO"), [END_OF_TEXT])
    documents = made("a", tokenizer.decode(range(n_tokens - 1)) if n_tokens > 2 else "b")
    tokens = encode_documents(documents, tokenizer, prefix="", length=length, too_long="cut", held_out=0.5)
    sides = (tokens.learned, tokens.held_out)
    pieces = max(sides, key=lambda side: sum(map(len, side)))
    assert all(2 <= len(piece) <= length for side in sides for piece in side)
    foretold = [int(token) for piece in pieces for token in piece[1:]]
    assert len(foretold) == len(set(foretold))
    assert len(pieces) == -(-n_tokens // length)


def test_symbols_that_the_model_does_not_know_are_dropped_and_counted() -> None:
    tokenizer = with_special_tokens(CharTokenizer("abc"), [END_OF_TEXT])
    tokens = encode_documents(made("a1b1", "c2", "cc", "33"), tokenizer, prefix="a?", length=9)
    assert {tokenizer.decode(ids[:-1]) for ids in (*tokens.learned, *tokens.held_out)} == {"aab", "ac", "acc"}
    assert tokens.dropped == {"?": 4, "1": 2, "3": 2, "2": 1}
    assert tokens.without_tokens == 1
    with pytest.raises(InputError, match="the model knows no symbol of made here"):
        encode_documents(made("12", "34"), tokenizer, prefix="", length=9)


def test_all_documents_have_tokens_of_the_vocabulary() -> None:
    documents = read_documents("jokes", language="fr")
    tokenizer = with_special_tokens(CharTokenizer.from_text("JOKE: " + "".join(documents.texts)), [END_OF_TEXT])
    tokens = encode_documents(documents, tokenizer, prefix="JOKE: ", length=200)
    assert tokens.dropped == {}
    assert np.concatenate([*tokens.learned, *tokens.held_out]).max() == tokenizer.vocab_size - 1
