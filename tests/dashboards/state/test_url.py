"""What an address says is read strictly: what cannot be is told in a sentence, never obeyed, and what is written is read back."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.state import run_list
from dashboards.state.language import Translation
from dashboards.state.url import FIELDS, parse_address
from data.runs import Run
from probes.groups.naming import split_highlight

HOSTILE = [
    ("run", "../secret"),
    ("run", "/etc"),
    ("run", ".hidden"),
    ("run", "a/b"),
    ("run", "a\\b"),
    ("run", ""),
    ("run", "a\0b"),
    ("with", "../.."),
    ("step", "-1"),
    ("step", "1e3"),
    ("step", "9" * 400),
    ("step", "x"),
    ("layer", "-1"),
    ("axes", "4"),
    ("temperature", "nan"),
    ("temperature", "inf"),
    ("lang", "xx"),
    ("scale", "cubic"),
    ("method", "<script>"),
    ("prompt", "a" * 5000),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE)
def test_what_cannot_be_is_reported_and_left_aside(name: str, value: str) -> None:
    kept, mistakes = parse_address({name: value})
    assert kept == {}
    assert len(mistakes) == 1
    for language, begins in (("en", "The address says"), ("pt", "O endereço diz")):
        told = mistakes[0].message(Translation(language))
        assert told.startswith(f"{begins} {name}=")
        assert len(told) < 400


def test_the_former_name_of_a_view_is_read() -> None:
    assert parse_address({"view": "scores"}) == ({"view": "heads"}, [])


def test_what_nobody_knows_is_passed_over() -> None:
    assert parse_address({"utm_source": "x", "embed": "true"}) == ({}, [])


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=60)))
def test_reading_never_fails(said: dict[str, str]) -> None:
    kept, mistakes = parse_address(said)
    assert len(kept) + len(mistakes) == len(said)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "run": st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=20),
            "step": st.integers(0, 10**12),
            "scale": st.sampled_from(["log", "linear"]),
            "group": st.text("abc,12 ;|é", max_size=30).map(split_highlight).filter(bool),
            "prompt": st.text(max_size=200),
            "top_p": st.floats(0.01, 1),
        },
    )
)
def test_what_is_written_is_read_back(view: dict[str, object]) -> None:
    assert parse_address({name: FIELDS[name].write(value) for name, value in view.items()}) == (view, [])


def test_only_runs_of_the_folder_are_opened(run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "run.json").write_bytes((run.path / "run.json").read_bytes())
    (run.path.parent / "led").symlink_to(outside)
    (run.path.parent / "inside").symlink_to(run.path)
    assert [found.name for found in run_list.runs()] == ["tiny", "inside"]


def test_a_run_whose_parts_lead_elsewhere_is_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (run.path / "films").symlink_to(tmp_path / "films")
    assert run_list.runs() == []
    (run.path / "films").unlink()
    (run.path / "inner").symlink_to(run.path / "snapshots")
    assert [found.name for found in run_list.runs()] == ["tiny"]


def test_a_camera_is_read_as_it_was_written_and_one_that_is_none_is_reported() -> None:
    view = (-32.0, 22.0, 1.25)
    written = FIELDS["camera"].write(view)
    assert written == "-32,22,1.25"
    assert parse_address({"camera": written})[0] == {"camera": view}
    for text in ("1,2", "1,2,x", "1,200,1", "1,2,nan"):
        fields, (invalid,) = parse_address({"camera": text})
        assert fields == {}
        assert invalid.name == "camera"
