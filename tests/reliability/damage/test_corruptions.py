"""Damage that changes a value is found, and nothing that stands in a run gives a traceback, hangs, or asks for much memory."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from data.runs import Run
from data.runs.labels import Label, write_label
from data.runs.traces import Trace, write_trace
from probes.tables.embeddings import token_embeddings
from tests.reliability.damage.corruptions import IMPOSSIBLE, Corruption, change_info, damages, made_changes
from tests.reliability.damage.readings import Reading, each_in_child, read_everything
from viz.projection.projection_cache import cached_projection

N_DAMAGES = 24
N_MADE = 24


def whole_run(folder: Path, tiny: Path) -> Path:
    """Copy a trained run, and add a label, a trace and a layout, so that it has every kind of file."""
    path = folder / "tiny"
    shutil.copytree(tiny, path)
    run = Run(path)
    write_label(run, Label("a name", "#0072B2"))
    header = {
        "run": "tiny",
        "step": 60,
        "prompt": "a",
        "prompt_tokens": ["a"],
        "decoding": {"temperature": 1.0},
        "request": {"seed": 1},
    }
    step = {
        "sample": 0,
        "position": 0,
        "id": 1,
        "token": "b",
        "probability": 0.5,
        "drawn_from": 0.5,
        "candidates": [[1, "b", 0.5, 0.5]],
    }
    write_trace(run, Trace(header, [step]))
    cached_projection(run, token_embeddings(run), "pca")
    return path


def fault(corruption: Corruption, before: Reading, after: Reading) -> str | None:
    """Describe what is wrong with the reading of a damaged run, None if nothing is."""
    if after.crash:
        return f"{corruption.name}: {after.crash}"
    if not all(said and "\n" not in said for said in after.said):
        return f"{corruption.name}: not one line: {after.said}"
    changed = [reader for reader, value in before.values.items() if after.values.get(reader) != value]
    is_silent = not after.said and (corruption.must_be_found or (changed and not corruption.is_made))
    return f"{corruption.name}: {changed} changed without a word" if is_silent else None


def failures(corruptions: list[Corruption], original: Path, folder: Path) -> list[str]:
    """Damage copies of a run and read them; describe what is wrong with the readings."""

    def read(corruption: Corruption | None) -> Reading:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(original, folder / "tiny")
        if corruption is not None:
            corruption.change(folder / "tiny")
        return read_everything(folder, "tiny")

    before, *after = each_in_child(read, [None, *corruptions])
    assert not before.crash
    assert before.said == []
    pairs = zip(corruptions, after, strict=True)
    return [found for corruption, reading in pairs if (found := fault(corruption, before, reading))]


@pytest.fixture
def original(runs: Path, tmp_path: Path) -> Path:
    return whole_run(tmp_path / "original", runs / "tiny")


def test_every_damage_that_changes_a_value_is_found(original: Path, tmp_path: Path) -> None:
    assert failures(list(damages(original, random.Random(1), N_DAMAGES)), original, tmp_path / "damaged") == []


def test_what_no_run_can_be_is_refused_in_a_line(original: Path, tmp_path: Path) -> None:
    assert failures(IMPOSSIBLE, original, tmp_path / "damaged") == []


def test_strange_values_with_fitting_hashes_do_no_harm(original: Path, tmp_path: Path) -> None:
    assert failures(list(made_changes(original, random.Random(1), N_MADE)), original, tmp_path / "damaged") == []


@pytest.mark.parametrize("key", ["tensors", "model", "corpus", "tokenizer", "training", "versions", "source", "base"])
def test_what_is_null_counts_as_missing(key: str, original: Path, tmp_path: Path) -> None:
    null = Corruption(f"{key} is null", change_info(lambda info: info.update({key: None})), True)
    assert failures([null], original, tmp_path / "damaged") == []
