"""Attention maps on slides: tokens and weights stand wherever they can be read, and a picture that lacks them says so."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from tests.viz.figures.stills import defects, drawn_texts
from viz.drawing.slide import SIZES
from viz.drawing.text import short_label
from viz.drawing.theme import THEMES, Theme
from viz.figures.attention_figure import LEAST_NUMBER_PT, draw_grid, draw_head, draw_layer

SENTENCE = list("A figura é poética")
"""The sentence of the text that the toolkit grew from."""
SUBWORDS = [" the", "ption", " extraordinarily", "$", "\n", " a", "W" * 12]
WORDS = {"title": "Attention of layer 3 (the last)", "subtitle": "a run at step 5,000 reads a sentence"}


def made_maps(tokens: Sequence[str], layers: int = 2, heads: int = 4) -> xr.DataArray:
    """Make causal maps (layer, head, query, key), whose rows sum to 1."""
    n = len(tokens)
    raw = np.random.default_rng(0).random((layers, heads, n, n)) * np.tril(np.ones((n, n)))
    coords = {
        "layer": np.arange(layers),
        "head": np.arange(heads),
        "query_token": ("query", np.array(tokens, dtype=object)),
    }
    return xr.DataArray(raw / raw.sum(-1, keepdims=True), coords, ("layer", "head", "query", "key"))


def check(figure: Figure, maps: xr.DataArray, monkeypatch: pytest.MonkeyPatch, *, rows: int, columns: int) -> str:
    """Check that each token and each weight is there, or said to be missing; tokens stand at ``rows`` and ``columns`` of maps."""
    assert not list(defects(figure, monkeypatch, least_pt=LEAST_NUMBER_PT))
    texts = [text for text, _, _ in drawn_texts(figure, monkeypatch)]
    found = re.search(
        r"[\d,]+ tokens: no room for .*? more room", " ".join(reversed(texts))
    )  # lines are written from the last
    note = found[0] if found else ""
    written = Counter(texts)
    tokens = [str(token) for token in maps["query_token"].values]
    written_as = {
        token: short_label(token, 10) if written[short_label(token, 10)] else short_label(token, 6) for token in tokens
    }
    labels = Counter(written_as[token] for token in tokens)
    if "labels" in note:
        assert any(written[label] < number for label, number in labels.items())
    else:
        assert all(written[label] >= number * (rows + columns) for label, number in labels.items())
    past = np.tril(np.ones(maps.shape[-2:], dtype=bool))
    weights = [text for text in texts if text == "1" or (text[0] == "." and text[1:].isdigit())]
    wanted = int(past.sum()) * int(np.prod(maps.shape[:-2]))
    if "weights" not in note:
        assert len(weights) >= wanted
    return note


@pytest.mark.sampled(3)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_every_token_of_the_sentence_stands_beside_the_heads_of_a_layer(
    size: str, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = made_maps(SENTENCE).isel(layer=-1)
    note = check(draw_layer(maps, **WORDS, theme=theme, inches=SIZES[size]), maps, monkeypatch, rows=1, columns=1)
    assert note == (
        ""
        if size == "large"
        else "18 tokens: no room for weights; the figure of one head, or the size large, has more room"
    )


@pytest.mark.parametrize("size", SIZES)
def test_one_head_has_every_weight_of_the_sentence_printed(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = made_maps(SENTENCE).isel(layer=0, head=0)
    assert not check(draw_head(maps, **WORDS, inches=SIZES[size]), maps, monkeypatch, rows=1, columns=1)


CROWDED = ((1, 1, "16:9"), (12, 12, "4:3"), (64, 12, "square"), (256, 1, "large"))
"""Tokens, heads and sizes that are tried every time; all others are slow."""


@pytest.mark.parametrize(
    ("n", "heads", "size"),
    [
        case if case in CROWDED else pytest.param(*case, marks=pytest.mark.slow)
        for case in itertools.product([1, 3, 12, 64, 256], [1, 12], SIZES)
    ],
)
def test_what_does_not_fit_is_said_and_the_rest_is_whole(
    n: int, heads: int, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [(SENTENCE * 20)[i] for i in range(n)]
    maps = made_maps(tokens, layers=1, heads=heads)
    look = {**WORDS, "inches": SIZES[size], "theme": THEMES["dark"]}
    check(draw_layer(maps.isel(layer=0), **look), maps.isel(layer=0), monkeypatch, rows=1, columns=1)
    check(draw_head(maps.isel(layer=0, head=0), **look), maps.isel(layer=0, head=0), monkeypatch, rows=1, columns=1)
    check(draw_grid(maps, **look), maps, monkeypatch, rows=1, columns=heads)


@pytest.mark.parametrize(
    "size", ["16:9", *(pytest.param(size, marks=pytest.mark.slow) for size in SIZES if size != "16:9")]
)
@pytest.mark.parametrize("n", [1, 4, 7])
def test_long_subwords_do_not_run_into_each_other(n: int, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = made_maps(SUBWORDS[:n], layers=3, heads=4)
    look = {**WORDS, "inches": SIZES[size]}
    check(draw_layer(maps.isel(layer=0), **look), maps.isel(layer=0), monkeypatch, rows=1, columns=1)
    check(draw_head(maps.isel(layer=0, head=0), **look), maps.isel(layer=0, head=0), monkeypatch, rows=1, columns=1)
    check(draw_grid(maps, **look), maps, monkeypatch, rows=1, columns=1)


def test_the_maps_of_a_layer_take_the_room_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four squares side by side cannot be wider than a quarter of the body: they are within a tenth of that."""
    figure = draw_layer(made_maps(SENTENCE).isel(layer=0), **WORDS, inches=SIZES["16:9"])
    widths = [axes.get_position().width * 960 for axes in figure.axes if axes.get_images()]
    assert sorted(widths)[-4] > 0.8 * 892 / 4
