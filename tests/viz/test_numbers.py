"""Numbers in pictures, tables and sentences: what rounds to zero has no sign, and a small level keeps its first digit."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.language import format_number
from tests.commands import ROOT
from viz.drawing.curve_panel import Curve
from viz.drawing.text import level_text

SOURCES = sorted(path for folder in ("viz", "probes", "dashboards") for path in (ROOT / folder).rglob("*.py"))
# ":.2f}", ":+,.0%}", "{:.2f}": a precision after a colon without the "z" that removes the sign of zero.
WITHOUT_Z = re.compile(r"(?<=:)[+ ]?[0-9]*,?\.(?:\d+|\{\w+\})[f%](?=\})")
NEGATIVE_ZERO = re.compile(r"[-−]0*[.,]?0*%?$")


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_no_format_can_write_a_negative_zero(path: Path) -> None:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    found = [line for line in lines if WITHOUT_Z.search(line) and not line.startswith(">>>")]
    assert not found, 'write {value:z.2f} instead of {value:.2f}: -0.001 is "0.00"'


@given(st.floats(-0.01, 0.01), st.integers(0, 3), st.sampled_from(["en", "pt"]))
def test_what_rounds_to_zero_has_no_sign(value: float, decimals: int, language: str) -> None:
    assert not NEGATIVE_ZERO.fullmatch(format_number(value, decimals, language))
    curve = Curve("cosine", np.array([0]), np.array([value]))
    assert not NEGATIVE_ZERO.fullmatch(curve.format_at(0))


def test_a_number_below_zero_keeps_its_sign() -> None:
    assert format_number(-0.51, 1, "pt") == "-0,5"
    assert Curve("cosine", np.array([0]), np.array([-0.006])).format_at(0) == "-0.01"


@given(st.floats(1e-6, 1.0))
def test_the_level_of_chance_is_never_written_as_zero(level: float) -> None:
    text = level_text(level)
    assert float(text) > 0
    assert float(text) == pytest.approx(level, rel=0.51)
    assert len(text) == 4 or level < 0.01
