"""The most frequent tokens are those of a count by hand, in the order of their ids."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from data.runs import Run
from probes.groups.cohesion import group_cohesion
from probes.groups.frequency import most_frequent, token_table
from probes.tables.embeddings import position_embeddings, token_embeddings
from probes.tables.vectors import import_vectors


def test_the_tokens_are_the_most_frequent_of_the_training_text(run: Run, text_file: Path) -> None:
    text = text_file.read_text(encoding="utf-8")
    counts = Counter(text[: int(0.9 * len(text))])
    whole, table = token_embeddings(run), token_table(run, items=12)
    kept, left_out = set(table["token"].values), set(whole["token"].values) - set(table["token"].values)
    assert len(kept) == 12
    assert min(counts[token] for token in kept) >= max(counts[token] for token in left_out)
    assert list(table["token_id"].values) == sorted(table["token_id"].values)
    np.testing.assert_array_equal(table.values, whole.values[:, table["token_id"].values])
    assert list(table["sha256"].values) == list(whole["sha256"].values)


def test_a_file_of_ones_own_decides(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("zzxxo" * 200, encoding="utf-8")
    assert set(token_table(run, items=3, text=file)["token"].values) == {"z", "x", "o"}


def test_more_than_there_are_keeps_all(run: Run) -> None:
    whole = token_embeddings(run)
    assert list(token_table(run, items=10_000)["token"].values) == list(whole["token"].values)


def test_a_group_of_a_limited_table_is_matched_on_the_frequencies_of_its_tokens(run: Run) -> None:
    table = token_table(run, items=16)
    found = group_cohesion(run, "tokens", "vowels", trajectory=table, draws=50)
    assert list(found["null"].values) == ["random", "matched"]
    assert max(found.attrs["members"]) < 16


def test_what_cannot_be_limited_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="1 or more; got 0"):
        token_table(run, items=0)
    with pytest.raises(InputError, match="leave it out for positions"):
        most_frequent(run, position_embeddings(run), 3)


def test_word_vectors_keep_the_first_rows_of_their_file(tmp_path: Path, runs: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("".join(f"word{i} {i} {i % 3} 1\n" for i in range(20)), encoding="utf-8")
    words = import_vectors(file, "words")
    assert list(token_table(words, items=4)["token"].values) == ["word0", "word1", "word2", "word3"]
    with pytest.raises(InputError, match="leave out `text`"):
        token_table(words, items=4, text=file)
