"""A label is read as it was written, lies within the run, and is never an error of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import InputError
from data.runs import Run
from data.runs.labels import LABEL_FILE, LONGEST_NAME, Label, read_label, write_label


@pytest.fixture
def bare(tmp_path: Path) -> Run:
    (tmp_path / "one").mkdir()
    return Run(tmp_path / "one")


def test_a_label_is_read_as_written_and_an_empty_one_leaves_no_file(bare: Run) -> None:
    write_label(bare, Label("warm-up, 2×", "#0072B2"))
    assert read_label(bare) == Label("warm-up, 2×", "#0072B2")
    write_label(bare, Label())
    assert read_label(bare) == Label()
    assert list(bare.path.iterdir()) == []


def test_a_name_is_one_line(bare: Run) -> None:
    write_label(bare, Label(" a\n\u202eb\t c "))
    assert read_label(bare).name == "a b c"


@pytest.mark.parametrize("label", [Label("x" * (LONGEST_NAME + 1)), Label("x", "red"), Label("x", "#12345g")])
def test_what_cannot_be_a_label_is_refused(bare: Run, label: Label) -> None:
    with pytest.raises(InputError):
        write_label(bare, label)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"name": 3, "color": "url(x)"}', '{"name": null}'])
def test_a_damaged_label_is_none(bare: Run, text: str) -> None:
    (bare.path / LABEL_FILE).write_text(text)
    assert read_label(bare).color == ""
    assert read_label(bare).name in ("", "3")
