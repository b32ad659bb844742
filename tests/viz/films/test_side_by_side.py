"""Runs side by side show what they share, turned onto each other, and a control is judged as the run is."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.distance import pdist
from scipy.stats import ortho_group

from data.errors import InputError
from data.runs import Run
from probes.groups.frequency import token_table
from viz.films.film import make_film
from viz.films.side_by_side import shared_tables, single_panel, turned_onto
from viz.grouped_table import caption, grouped_table
from viz.request import FigureRequest, FilmRequest
from viz.video import main

QUICK = {"size": "640x360", "fps": 5, "hold": 0.2, "seconds_per_snapshot": 0.2, "method": "pca", "format": "gif"}


def made(tokens: str, steps: list[int]) -> xr.DataArray:
    values = np.random.default_rng(len(tokens)).normal(size=(len(steps), len(tokens), 5))
    coords = {"step": steps, "token": list(tokens), "sha256": ("step", [f"{step} of {tokens}" for step in steps])}
    return xr.DataArray(values, dims=("step", "token", "dim"), coords=coords, name="token_table")


def test_runs_are_reduced_to_the_labels_and_steps_they_share() -> None:
    one, other = made("abcdef", [0, 1, 5]), made("xfedb", [0, 5, 9])
    shared = shared_tables([grouped_table(one, "tokens"), grouped_table(other, "tokens")], ["one", "other"], ["f,b"])
    first, second = (table.trajectory for table in shared.tables)
    assert list(first["token"].values) == list(second["token"].values) == list("bdef")
    assert list(first["step"].values) == list(second["step"].values) == [0, 5]
    np.testing.assert_array_equal(second.sel(token="f", step=5).values, other.sel(token="f", step=5).values)
    assert (shared.items_left_out, shared.steps_left_out) == (3, 2)  # a, c, x and 1, 9
    assert {table.groups[0].members for table in shared.tables} == {(3, 0)}
    assert not set(first["sha256"].values) & set(
        one["sha256"].values
    )  # their layouts are not those of the whole tables


def test_runs_that_share_all_keep_their_hashes() -> None:
    tables = made("abcd", [0, 1]), made("abcd", [0, 1])
    shared = shared_tables([grouped_table(table, "tokens") for table in tables], ["one", "other"])
    assert (shared.items_left_out, shared.steps_left_out) == (0, 0)
    for reduced, table in zip(shared.tables, tables, strict=True):
        xr.testing.assert_identical(reduced.trajectory, table)


def test_runs_that_share_nothing_are_refused() -> None:
    one, other, late = (grouped_table(made(*some), "tokens") for some in (("abc", [0]), ("xyz", [0]), ("abc", [7])))
    with pytest.raises(InputError, match="runs a and b share no tokens"):
        shared_tables([one, other], ["a", "b"])
    with pytest.raises(InputError, match="no step in common"):
        shared_tables([one, late], ["a", "b"])
    with pytest.raises(InputError, match="neither a token of this run"):
        shared_tables([one, grouped_table(made("ab", [0]), "tokens")], ["a", "b"], ["c"])


def test_a_whole_film_is_turned_once_onto_another() -> None:
    """A film that is another one turned comes to lie on it at every step; one with noise keeps its distances."""
    random = np.random.default_rng(0)
    reference = random.normal(size=(4, 9, 2))
    reference -= reference.mean(axis=1, keepdims=True)
    turned = reference @ ortho_group(2, seed=3).rvs()
    dims = ("step", "token", "axis")
    films = [xr.Dataset({"layout": (dims, layout)}) for layout in (turned, reference)]
    np.testing.assert_allclose(turned_onto(*films)["layout"].values, reference, atol=1e-12)
    noisy = xr.Dataset({"layout": (dims, turned + random.normal(size=turned.shape))})
    for before, after in zip(noisy["layout"].values, turned_onto(noisy, films[1])["layout"].values, strict=True):
        np.testing.assert_allclose(pdist(before), pdist(after))


@pytest.fixture
def second(run: Run) -> Run:
    """A copy of the run that lacks a step, as if its training had kept other snapshots."""
    path = run.path.parent / "second"
    shutil.copytree(run.path, path)
    lines = (path / "manifest.jsonl").read_text().splitlines(keepends=True)
    (path / "manifest.jsonl").write_text("".join(lines[:2] + lines[3:]))
    (path / "run.json").write_text(json.dumps(run.info | {"name": "second"}))
    return Run(path)


def test_a_film_of_two_runs_names_both_and_says_what_is_left_out(run: Run, second: Run, tmp_path: Path) -> None:
    main(FilmRequest(runs="tiny,second", highlight=("3,4,5",), out=tmp_path, **QUICK))  # type: ignore[arg-type]
    (film,) = tmp_path.glob("*.gif")
    assert film.name.startswith("positions-pca-3-4-5-runs-tiny-second-")
    about = json.loads(film.with_name(film.name + ".json").read_text())
    kept = second.manifest()
    assert [(s["step"], s["sha256"]) for s in about["snapshots"]] == [(r["step"], r["sha256"]) for r in kept]
    assert about["projection"]["runs"] == {name: [r["sha256"] for r in kept] for name in ("tiny", "second")}
    assert about["alt_text"].count("neighbouring ones") == 2
    assert "Beside it run second." in about["alt_text"]


def test_the_footnote_of_two_runs_tells_of_steps_and_equal_runs_lie_on_each_other(run: Run, second: Run) -> None:
    picture = make_film([run, second], FilmRequest(size="640x360", method="pca")).picture
    one, other = (view.motion.layouts for view in picture.panels)  # type: ignore[attr-defined]
    np.testing.assert_allclose(one, other, atol=1e-9)
    texts = [text.get_text() for text in picture.film_frame.canvas.figure.texts]  # type: ignore[attr-defined]
    assert any("1 step that not all runs have is left out" in text for text in texts)
    assert {"tiny", "second"} <= set(texts)


@pytest.mark.parametrize("control", ["shuffled", "init"])
def test_a_film_with_a_control_keeps_both_layouts_and_says_what_the_control_is(
    run: Run, tmp_path: Path, control: str
) -> None:
    main(FilmRequest(control=control, highlight=("3,4,5",), out=tmp_path, **QUICK))  # type: ignore[arg-type]
    (sidecar,) = tmp_path.glob(f"positions-pca-3-4-5-control-{control}-*.gif.json")
    about = json.loads(sidecar.read_text())
    assert about["projection"]["control"] == about["options"]["control"] == control
    assert [s["sha256"] for s in about["snapshots"]] == [record["sha256"] for record in run.manifest()]
    assert about["alt_text"].count("At the last snapshot: neighbours kept") == 2
    assert about["alt_text"].count("random triples") == 2
    assert len(list((run.path / "projections").iterdir())) == 2


def test_a_group_that_cannot_be_compared_is_filmed_with_a_warning(run: Run, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="highlight '3': no comparison is shown: a group of 1 has no pairs"):
        main(FilmRequest(highlight=("3",), out=tmp_path, **QUICK))  # type: ignore[arg-type]
    everything = ",".join(str(i) for i in range(16))
    with pytest.warns(UserWarning, match="no comparison is shown: the group is all 16 items"):
        main(FilmRequest(highlight=(everything,), control="init", out=tmp_path, **QUICK))  # type: ignore[arg-type]
    assert len(list(tmp_path.glob("*.gif"))) == 2


def test_runs_of_other_kinds_are_refused(run: Run, second: Run) -> None:
    info = dict(Run(second.path).info)
    info["tokenizer"]["symbols"] = "".join(chr(0x4E00 + i) for i in range(len(info["tokenizer"]["symbols"])))
    (second.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match="runs tiny and second share no tokens"):
        main(FilmRequest(what="tokens", runs="tiny,second", **QUICK))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"what": "gram", "control": "init"},
            "`control` does not concern a film of position-similarity.*`what=positions`",
        ),
        ({"what": "scores", "trust": False}, "`trust=False` does not concern a film of heads"),
        ({"what": "gram", "metric": "cosine"}, "`metric` does not concern"),
        ({"what": "attention", "runs": "a,b"}, "`runs` does not concern"),
        ({"runs": "tiny"}, "`runs` takes two to 4 runs; got 1"),
        ({"runs": "a,b,c,d,e"}, "two to 4 runs; got 5"),
        ({"runs": "tiny,none"}, "there is no run 'none'"),
        ({"runs": "tiny,other", "control": "init"}, "`runs` .* with `control`: leave out one"),
        ({"runs": "tiny,other", "run": "tiny"}, "`runs` .* with `run`: leave out one"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run: Run, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        main(FilmRequest(**wrong))  # type: ignore[arg-type]


def test_a_film_of_the_most_frequent_tokens_has_a_layout_of_its_own(run: Run) -> None:
    request = FilmRequest("tokens", method="pca", items=14, highlight=("a,e",))
    panel = single_panel(run, request, lambda *_: None)
    whole = single_panel(run, replace(request, items=None), lambda *_: None)
    assert panel.projection.sizes["token"] == 14 < whole.projection.sizes["token"]
    assert list(panel.projection["token"].values) == list(token_table(run, items=14)["token"].values)
    again = single_panel(run, request, lambda *_: None)
    xr.testing.assert_equal(again.projection, panel.projection)
    last = int(panel.projection["step"].values[-1])
    assert "equally frequent ones" in panel.comparisons[0].sentences[last]
    assert "the 14 most frequent tokens" in caption(run, panel.table, panel.projection).subtitle


def test_a_text_without_a_number_of_items_is_refused() -> None:
    for request in (FilmRequest("tokens", text="x.txt"), FigureRequest(("tokens",), text="x.txt")):
        with pytest.raises(InputError, match="pass `items=2000` with it"):
            request.validate()
    with pytest.raises(InputError, match="`items` does not concern a film of positions"):
        FilmRequest("positions", items=3).validate()
    for layers in ("a", "", "3-1", "0,,1"):
        with pytest.raises(InputError, match="pass `layers=0,1,5-7`"):
            FilmRequest("heads", layers=layers).validate()
