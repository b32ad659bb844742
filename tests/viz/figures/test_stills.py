"""Stills fit their slides: in every size and theme all text lies inside, move_apart from other text, and can be read from afar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgba

from tests.viz.figures.stills import EXTREME, SYMBOLS, USUAL, defects, drawn_texts, made_scores
from viz.drawing.layout import move_apart
from viz.drawing.slide import blank_slide
from viz.drawing.text import text_width, wrap
from viz.drawing.theme import THEMES, Theme
from viz.figures.head_score_figure import draw_scores, leading_head
from viz.figures.next_token_figure import next_token_bars
from viz.figures.table_figure import order_by_wave

SIZES: dict[str, tuple[float, float]] = {"wide": (13.333, 7.5), "four to three": (10.0, 7.5), "square": (7.5, 7.5)}
WORDS = {
    "title": "How a small model learns",
    "subtitle": "machado: a GPT of 207,936 parameters reading a corpus of stories",
}
LONG = {
    "title": 2 * "How a small model learns ",
    "subtitle": WORDS["subtitle"],
    "takeaway": "What is to be seen, in a sentence.",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", USUAL)
def test_all_text_is_large_whole_and_apart(name: str, size: str, theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = USUAL[name](**WORDS, theme=theme, inches=SIZES[size])
    assert tuple(figure.get_size_inches()) == SIZES[size]
    assert not list(defects(figure, monkeypatch))
    assert all(
        to_rgba(axes.patch.get_facecolor())[3] == 0 or not axes.axison for axes in figure.axes
    )  # a slide's ground shines through


@pytest.mark.sampled(3)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", EXTREME)
def test_small_and_large_runs_fit_too(name: str, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(defects(EXTREME[name](**WORDS, theme=THEMES["dark"], inches=SIZES[size]), monkeypatch))


@pytest.mark.parametrize("name", USUAL)
def test_long_titles_and_a_takeaway_fit_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(defects(USUAL[name](**LONG, theme=THEMES["light"], inches=SIZES["square"]), monkeypatch))


def test_the_defects_are_found_where_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    slide = blank_slide("Title", "subtitle", THEMES["light"], SIZES["square"])
    slide.text(100, 100, "one")
    assert not list(defects(slide.figure, monkeypatch))
    slide.text(110, 105, "two")
    slide.text(530, 300, "three", size=17)
    wanted = ["'two' and 'one' overlap", "'three' is set in 17.0 points", "'three' is cut off"]
    assert list(defects(slide.figure, monkeypatch)) == wanted


def test_the_panel_names_the_head_that_leads_at_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = made_scores(5, 3, 4)
    last = scores["entropy"].isel(step=-1)
    layer, head = leading_head(scores["entropy"])
    assert last[layer, head] == last.min()
    assert last[leading_head(scores["induction"])] == last.max()
    figure = draw_scores(scores, None, **WORDS, theme=THEMES["light"], inches=SIZES["wide"])
    texts = [text for text, _, _ in drawn_texts(figure, monkeypatch)]
    assert f"layer {layer} head {head}" in texts


@given(st.lists(st.floats(0, 500), min_size=1, max_size=9))
def test_names_are_moved_apart_inside_the_axes_and_keep_their_order(wanted: list[float]) -> None:
    places = np.array(move_apart(wanted, [24.0] * len(wanted), 0, 400))
    in_order = places[np.argsort(wanted, kind="stable")]
    assert (np.diff(in_order) >= 24 - 1e-6).all()
    assert places.min() >= 12 - 1e-6
    assert places.max() <= 388 + 1e-6


@settings(deadline=None)
@given(st.lists(st.text("abc$é", min_size=1, max_size=9), min_size=1, max_size=30), st.integers(200, 900))
def test_wrapping_keeps_the_words_and_the_width(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert " ".join(lines).split() == words
    assert all(text_width(line) <= width for line in lines)


def test_the_bars_and_the_others_hold_the_whole_probability() -> None:
    values = np.random.default_rng(0).dirichlet(np.full(99, 0.1), size=4)
    bars = next_token_bars(values, SYMBOLS, least=0.02, most=12)
    assert sum(bar.value for bar in bars) == pytest.approx(1)
    assert [bar.value for bar in bars[:-1]] == sorted(values[-1], reverse=True)[: len(bars) - 1]
    assert len(bars) <= 12


def test_waves_are_put_in_the_order_of_their_frequency() -> None:
    waves = np.cos(np.pi * np.outer(np.arange(32) + 0.5, np.arange(1, 20)) / 32)  # (position, frequency)
    mixed = np.random.default_rng(0).permutation(19)
    np.testing.assert_array_equal(mixed[order_by_wave(waves[:, mixed] + 3)], np.arange(19))
