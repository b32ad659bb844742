"""The film command on a real run: what it writes, what it says of it, and what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from data.runs import Run
from tests.commands import assert_mistake, command
from viz.request import FilmRequest
from viz.video import main

QUICK = {"size": "640x360", "fps": 5, "hold": 0.2, "seconds_per_snapshot": 0.2}
LOOK = "640x360-fps-5-seconds-per-snapshot-0p2-hold-0p2"


def test_a_film_and_its_sidecar_are_written(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    main(FilmRequest(highlight=("3,4,5",), method="pca", **QUICK))  # type: ignore[arg-type]
    told = [Path(line.removeprefix("wrote ")) for line in capsys.readouterr().out.splitlines()]
    folder = run.path / "films"
    assert told == [folder / f"positions-pca-3-4-5-{LOOK}.{suffix}" for suffix in ("mp4", "gif")]
    assert {path.name for path in folder.iterdir()} == {f"{path.name}{end}" for path in told for end in ("", ".json")}
    about = json.loads((folder / f"positions-pca-3-4-5-{LOOK}.mp4.json").read_text())
    assert about["run"] == "tiny"
    assert [(s["step"], s["sha256"]) for s in about["snapshots"]] == [(r["step"], r["sha256"]) for r in run.manifest()]
    assert about["projection"]["method"] == "pca"
    assert about["options"]["highlight"] == ["3,4,5"]
    assert "3, 4, 5" in about["alt_text"]
    assert "validation loss" in about["alt_text"]
    assert about["versions"]["numpy"] == np.__version__


def test_the_same_command_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        main(FilmRequest(out=tmp_path / name, format="gif", **QUICK))  # type: ignore[arg-type]
        for kept in (run.path / "projections").iterdir():
            kept.unlink()
    file = f"positions-tsne-{LOOK}-run-tiny.gif"
    films = [(tmp_path / name / file).read_bytes() for name in ("a", "b")]
    sidecars = [json.loads((tmp_path / name / f"{file}.json").read_text()) for name in ("a", "b")]
    assert films[0] == films[1]
    for sidecar in sidecars:
        sidecar["options"].pop("out")
    assert sidecars[0] == sidecars[1]


def test_a_second_film_takes_the_layout_from_the_first(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(FilmRequest(what="tokens", method="pca", format="gif", **QUICK))  # type: ignore[arg-type]
    first = (run.path / "films" / f"tokens-pca-{LOOK}.gif").read_bytes()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("laid out again")

    monkeypatch.setattr("viz.projection.projection_cache.project", never)
    main(FilmRequest(what="tokens", method="pca", format="gif", out=tmp_path, **QUICK))  # type: ignore[arg-type]
    assert (tmp_path / f"tokens-pca-{LOOK}-run-tiny.gif").read_bytes() == first
    with pytest.raises(AssertionError, match="laid out again"):
        main(FilmRequest(what="tokens", method="pca", seed=1, **QUICK))  # type: ignore[arg-type]


def test_a_damaged_layout_is_made_again(run: Run) -> None:
    options = FilmRequest(method="pca", format="gif", **QUICK)  # type: ignore[arg-type]
    main(options)
    (kept,) = (run.path / "projections").iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    with pytest.warns(UserWarning, match="is damaged: it is computed again"):
        main(options)


def test_damaged_snapshots_are_named_and_the_film_is_made_of_the_others(run: Run) -> None:
    run.snapshot(20).path.unlink()
    run.snapshot(32).path.write_bytes(b"x")
    result = command("viz.video", "--method", "pca", "--size", "320x240", "--fps", "2", "--format", "gif")
    assert result.returncode == 0, result.stderr
    warnings = [line for line in result.stderr.splitlines() if "warning" in line]
    assert len(warnings) == 2
    assert "step 20" in warnings[0]
    assert "step 32" in warnings[1]
    about = json.loads((run.path / "films" / "positions-pca-320x240-fps-2.gif.json").read_text())
    assert not {20, 32} & {s["step"] for s in about["snapshots"]}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("args", "parts"),
    [
        pytest.param(["--run", "none"], ["there is no run 'none'", "there is tiny"], marks=pytest.mark.slow),
        (["--highlight", "40"], ["no position '40'", "0 to 15"]),
        pytest.param(
            ["--what", "tokens", "--highlight", "vovels"], ["'vovels'", "groups are vowels"], marks=pytest.mark.slow
        ),
        (["--what", "attention", "--prompt", "§"], ["'§' (U+00A7) at position 0"]),
        pytest.param(
            ["--what", "attention", "--layer", "5"], ["there is no layer 5", "layers 0 to 1"], marks=pytest.mark.slow
        ),
        pytest.param(["--control", "noise"], ["noise", "shuffled"], marks=pytest.mark.slow),
        pytest.param(["--runs", "tiny,tiny"], ["run 'tiny' twice"], marks=pytest.mark.slow),
        (
            ["--what", "gram", "--prompt", "a"],
            ["--prompt does not concern a film of position-similarity", "--what attention"],
        ),
        (
            ["--what", "hats"],
            [
                "viz.video: there is no film of 'hats'; there is positions, tokens, attention, heads, position-similarity"
            ],
        ),
        pytest.param(["--method", "isomap"], ["isomap", "tsne"], marks=pytest.mark.slow),
        (["--perplexity", "30"], ["perplexity must be below", "16 items"]),
        (["--size", "1921x1080"], ["even", "--size 1922x1080"]),
        pytest.param(["--format", "avi"], ["mp4", "gif"], marks=pytest.mark.slow),
        (["--fps", "0"], ["--fps 30"]),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(run: Run, args: list[str], parts: list[str]) -> None:
    assert_mistake(command("viz.video", *args), *parts)
    films = run.path / "films"
    assert not films.exists() or not list(films.iterdir())


def test_without_a_run_the_command_says_how_to_train_one(tmp_path: Path) -> None:
    assert_mistake(command("viz.video", GPTLAB_RUNS=str(tmp_path)), "no run", "python -m trainer")


def test_a_folder_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_mistake(command("viz.video", "--out", str(tmp_path / "file" / "films")), "file")


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_rights_is_told(run: Run, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert_mistake(command("viz.video", "--out", str(locked)), "locked", "change its rights")


def test_memory_does_not_hold_the_frames() -> None:
    """Frames come one at a time and share their memory, however long the film is."""
    from tests.viz.films.test_timeline import made_film, made_projection

    frames = made_film(made_projection()).frames([0.0, 1.0, 2.0])
    first, second = next(frames), next(frames)
    assert np.shares_memory(first, second)


def test_an_unknown_theme_is_refused() -> None:
    from viz.drawing.theme import theme

    with pytest.raises(InputError, match="there is light, dark"):
        theme("pink")
