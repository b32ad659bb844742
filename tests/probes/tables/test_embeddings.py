"""A trajectory holds, step by step, the tables that the snapshots hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from data.errors import InputError
from data.runs import Run
from data.runs import snapshot as snapshot_module
from probes.tables.embeddings import position_embeddings, token_embeddings


def test_trajectories_hold_the_tables_of_every_snapshot(run: Run) -> None:
    tokens, positions = token_embeddings(run), position_embeddings(run)
    assert tokens.dims == ("step", "token", "dim")
    assert positions.dims == ("step", "position", "dim")
    for snapshot in run.snapshots():
        by_library = load_file(snapshot.path)
        np.testing.assert_array_equal(tokens.sel(step=snapshot.step), by_library["wte.weight"])
        np.testing.assert_array_equal(positions.sel(step=snapshot.step), by_library["wpe.weight"])


def test_items_are_selected_by_their_labels(run: Run) -> None:
    symbols = run.info["tokenizer"]["symbols"]
    row = token_embeddings(run).sel(step=60, token="ã")
    np.testing.assert_array_equal(row, run.snapshot(60).tensor("wte.weight")[symbols.index("ã")])


def test_the_hashes_travel_with_the_values(run: Run) -> None:
    assert list(token_embeddings(run)["sha256"].values) == [record["sha256"] for record in run.manifest()]


def test_each_snapshot_is_opened_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = snapshot_module.open_regular

    def counting(file: Path) -> Any:
        opened.append(file.name)
        return real(file)

    monkeypatch.setattr(snapshot_module, "open_regular", counting)
    token_embeddings(run)
    files = [snapshot.path.name for snapshot in run.snapshots()]
    assert [opened.count(name) for name in files] == [1] * len(files)


def test_a_damaged_snapshot_is_left_out_with_a_warning(run: Run) -> None:
    path = run.snapshot(20).path
    path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(UserWarning, match="step 20"):
        steps = token_embeddings(run)["step"].values
    assert 20 not in steps
    assert 60 in steps


def test_a_model_without_a_position_table_is_refused(run: Run) -> None:
    info = dict(Run(run.path).info)
    info["tensors"].pop("position_table")
    (run.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match="has no position table"):
        position_embeddings(Run(run.path))
