"""``python -m probes`` prints the results of probes, writes them to files, and reports mistakes in one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from data.errors import InputError
from data.runs import Run
from probes.__main__ import main
from probes.groups.cohesion import group_cohesion
from probes.groups.wording import comparison_sentence
from probes.models.attention import attention_maps
from probes.models.heads import head_scores
from probes.models.logits import next_token_distribution
from probes.registry import PROBES, ProbeRequest
from tests.commands import assert_mistake, command


def test_without_a_measure_it_lists_them(runs: Path) -> None:
    result = command("probes")
    assert result.returncode == 0, result.stderr
    listed = {line.split()[0] for line in result.stdout.splitlines() if line.strip()}
    assert set(PROBES) <= listed
    assert "--measure heads" in result.stdout


def test_a_table_holds_what_the_probe_returned(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    main(ProbeRequest(measure=("heads",), step=20, seed=3))
    title, names, *rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert title == ["heads,", "step", "20"]
    expected = head_scores(run, seed=3).sel(step=20)
    assert names == ["layer", "head", *map(str, expected.data_vars)]
    assert len(rows) == expected["sink"].size
    for layer, head, *scores in rows:
        wanted = [float(score) for score in expected.sel(layer=int(layer), head=int(head)).data_vars.values()]
        np.testing.assert_allclose(np.array(scores, float), wanted, rtol=0, atol=5.1e-5)


def test_numbers_of_the_run_are_listed_by_step_and_others_at_one_step(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    main(ProbeRequest(measure=("copying", "next-token"), prompt="mo"))
    losses, without, bets = re.split(r"\n(?=copying, step|next-token, step)", capsys.readouterr().out)
    steps = [int(line.split()[0]) for line in losses.splitlines() if re.match(r" \d", line)]
    assert steps == [record["step"] for record in run.manifest()]
    assert without.startswith("copying, step 60\n")
    likeliest = str(next_token_distribution(run, "mo").sel(step=60).idxmax().item())
    assert bets.splitlines()[2].split(" 0.")[0].strip() == repr(likeliest)
    assert re.search(r"\.\.\. and \d+ rows more", bets)


def test_exports_are_written_and_named(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(ProbeRequest(measure=("attention", "heads"), prompt="não", export="csv, netcdf"))
    wrote = [Path(line.removeprefix("wrote ")) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in wrote] == ["attention.csv", "attention.nc", "heads.csv", "heads.nc"]
    assert {path.parent for path in wrote} == {run.path / "exports"}
    expected = attention_maps(run, "não")
    with xr.open_dataset(wrote[1], engine="h5netcdf") as file:
        xr.testing.assert_equal(file["attention"].load(), expected)
    table = pd.read_csv(wrote[2])
    assert list(table.columns)[:3] == ["step", "layer", "head"]
    assert len(table) == len(run.manifest()) * 4
    main(ProbeRequest(measure=("heads",), export="csv", out=tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere" / "heads.csv").read_bytes() == wrote[2].read_bytes()


def test_cohesion_is_printed_as_a_table_and_a_sentence_for_each_null(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    main(ProbeRequest(measure=("cohesion",), highlight=("vowels",), step=20))
    over_steps, shares, _, said = capsys.readouterr().out.strip().split("\n\n")
    expected = group_cohesion(run, "tokens", "vowels")
    rows = [line.split() for line in over_steps.splitlines() if re.match(r" \d", line)]
    assert [int(step) for step, _ in rows] == expected["step"].values.tolist()
    np.testing.assert_allclose([float(value) for _, value in rows], expected["cohesion"], rtol=0, atol=5.1e-5)
    at = expected.sel(step=20)
    for name in ("random", "matched"):
        (row,) = [line.split() for line in shares.splitlines() if repr(name) in line]
        wanted = [float(at[column].sel(null=name)) for column in ("percentile", "p_value", "p_corrected")]
        np.testing.assert_allclose(np.array(row[1:], float), wanted, rtol=0, atol=5.1e-5)
    lines = said.splitlines()
    assert lines == [comparison_sentence(expected.isel({"null": place}), 20, counted=True) for place in range(2)]
    assert "equally frequent groups" in lines[1]


def test_each_highlight_has_files_of_its_own(run: Run, tmp_path: Path) -> None:
    """Whole numbers are positions unless tokens are asked for; the name of a file says which table, whom, and by what metric."""
    asked: dict[str, Any] = {"measure": ("cohesion",), "export": "netcdf,csv,parquet", "out": tmp_path}
    main(ProbeRequest(highlight=("2,3,4; a,é",), **asked))
    main(ProbeRequest(highlight=("1,2",), what="tokens", metric="cosine", seed=5, **asked))
    found = {path.stem: xr.load_dataset(path, engine="h5netcdf") for path in tmp_path.glob("*.nc")}
    assert sorted(found) == ["cohesion-positions-2-3-4", "cohesion-tokens-1-2-cosine", "cohesion-tokens-a-u00e9"]
    one = group_cohesion(run, "tokens", "1,2", metric="cosine", seed=5)
    xr.testing.assert_equal(found["cohesion-tokens-1-2-cosine"], one)
    xr.testing.assert_equal(found["cohesion-positions-2-3-4"], group_cohesion(run, "positions", "2,3,4"))
    table = pd.read_csv(tmp_path / "cohesion-tokens-1-2-cosine-step-null.csv").set_index(["step", "null"])
    assert table["p_value"].to_dict() == one["p_value"].to_series().to_dict()
    pd.testing.assert_frame_equal(
        table.reset_index(),
        pd.read_parquet(tmp_path / "cohesion-tokens-1-2-cosine-step-null.parquet"),
        check_dtype=False,
    )


@pytest.mark.parametrize("highlight", [(), ("digits",)])
def test_all_leaves_out_measures_that_lack_a_field(
    highlight: tuple[str, ...], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zero = xr.DataArray([0.0], dims="step", coords={"step": [0]}, name="zero")
    monkeypatch.setattr("probes.__main__.measure", lambda run, name, request, progress: zero)
    main(ProbeRequest(measure=("all",), highlight=highlight, export="csv"))
    wrote = {path.stem.removesuffix("-tokens-digits") for path in (runs / "tiny" / "exports").iterdir()}
    assert set(PROBES) - wrote == {"neighbours", *(() if highlight else ("cohesion",))}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measure": ("context", "head")}, "there is no measure 'head'; there is heads, copying"),
        ({"measure": ("heads",), "step": 21}, "has no snapshot of step 21; it has 0, 1, 2"),
        ({"measure": ("heads",), "export": "xlsx"}, "written as csv, parquet, netcdf.*; got 'xlsx'"),
        ({"measure": ("heads",), "export": ""}, "got '': pass `export=csv`"),
        ({"measure": ("lens",), "prompt": ""}, "the prompt is empty"),
        ({"measure": ("attention",), "prompt": "naß"}, r"'ß' \(U\+00DF\) at position 2"),
        ({"measure": ("neighbours",)}, "neighbours of which token"),
        ({"measure": ("cohesion",)}, "cohesion of which group"),
        ({"measure": ("cohesion",), "highlight": ("wovels",)}, "'wovels' is neither a token of this run nor a group"),
        ({"measure": ("cohesion",), "highlight": ("3,99",)}, "there is no position '99'"),
        ({"measure": ("cohesion",), "highlight": ("7",)}, "a group of 1 has no pairs: highlight two items or more"),
        (
            {"measure": ("cohesion",), "highlight": ("vowels,consonants,uppercase,digits,punctuation,whitespace",)},
            "the group is all .* items, so there is no other to compare with",
        ),
        ({"measure": ("context",), "text": Path("no such file.txt")}, "there is no file"),
        ({"measure": ("copying",), "seed": -1}, "a seed is 0 or more; got -1"),
        ({"measure": ("heads",), "run": "tony"}, "there is no run 'tony'"),
    ],
)
def test_mistakes_are_reported_before_anything_is_printed(
    runs: Path, options: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=message) as raised:
        main(ProbeRequest(**options))
    assert "\n" not in str(raised.value)
    assert capsys.readouterr().out == ""


def test_a_step_with_a_damaged_snapshot_is_refused(run: Run) -> None:
    path = run.snapshot(20).path
    path.write_bytes(path.read_bytes()[:-1])
    with (
        pytest.warns(UserWarning, match="step 20"),
        pytest.raises(InputError, match="step 20 is not whole: choose another"),
    ):
        main(ProbeRequest(measure=("heads",), step=20))


def test_a_mistake_on_the_command_line_is_one_line(runs: Path) -> None:
    assert_mistake(command("probes", "--measure", "head"), "there is no measure 'head'")
