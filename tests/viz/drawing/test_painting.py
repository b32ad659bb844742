"""Painted discs and lines against matplotlib's own: the same coverage, colours, order and clipping, in films the same picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from probes.groups.naming import Group
from viz.drawing import scatter
from viz.drawing.canvas import Size
from viz.drawing.painting.painted_discs import PHASES, WHOLE, PaintedDiscs, disc_stamps
from viz.drawing.painting.painted_lines import PaintedLines
from viz.drawing.painting.pixels import to_bytes
from viz.drawing.text import Caption
from viz.drawing.theme import THEMES
from viz.films import embedding_film
from viz.films.embedding_film import EmbeddingFilm, ProjectionView

WIDTH, HEIGHT = 90, 60
PANEL = (10.0, 5.0, 60.0, 45.0)
"""Left, bottom, width and height of the axes, in pixels."""


def made_axes() -> Axes:
    """Make axes whose data coordinates are pixels from the lower left corner of the panel."""
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="#F6F7F9")
    left, bottom, width, height = PANEL
    axes = figure.add_axes((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return axes


def picture(axes: Axes, artist: Artist) -> np.ndarray:
    """Draw one artist; return (row, column, red green blue)."""
    axes.add_artist(artist)
    canvas = FigureCanvasAgg(axes.figure)  # type: ignore[arg-type]
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def painted(points: np.ndarray, faces: np.ndarray, edges: np.ndarray, radius: float, edge: float) -> np.ndarray:
    discs = PaintedDiscs(radius, edge)
    discs.set_points(points)
    discs.set_colors(to_bytes(np.stack([faces, edges], axis=1)))
    return picture(made_axes(), discs)


def drawn(points: np.ndarray, faces: np.ndarray, edges: np.ndarray, radius: float, edge: float) -> np.ndarray:
    axes = made_axes()
    # With two colours matplotlib draws paths; with one it draws markers, on whole pixels.
    style: dict[str, Any] = {"facecolors": np.tile(faces, (2, 1)), "edgecolors": edges, "linewidths": edge}
    places = {"offsets": points, "offset_transform": axes.transData, "transform": IdentityTransform()}
    discs = PathCollection([Path.circle((0, 0), radius)], **places, **style)
    discs.set_snap(False)
    return picture(axes, discs)


@pytest.mark.parametrize(("radius", "edge"), [(0.4, 0.2), (0.7, 0.5), (1.1, 0.8), (2.2, 0.8), (2.75, 0.8), (13.0, 3.4)])
def test_a_disc_covers_as_much_as_matplotlibs(radius: float, edge: float) -> None:
    ground = np.array([246, 247, 249])
    for place in ([30.0, 20.0], [30.5, 20.5], [30.13, 20.77], [17.999, 33.001]):
        about = np.array([place]), np.array([[0.0, 0.2, 0.9]]), np.array([[0.9, 0.1, 0.0]]), radius, edge
        ours, theirs = painted(*about), drawn(*about)
        assert np.abs(ours - theirs).max() <= 16  # 1/32 of a pixel at an edge, and rounding
        np.testing.assert_allclose((ours - ground).sum(), (theirs - ground).sum(), rtol=0.04)


@pytest.mark.parametrize("radius", [0.4, 2.2, 5.5])
def test_a_stamp_covers_as_much_as_the_edge_is_large_wherever_it_lies(radius: float) -> None:
    weights = disc_stamps(radius, 0.8).sum(axis=(2, 3)) / WHOLE  # (phase down, phase across, disc or edge)
    assert weights.shape == (PHASES, PHASES, 2)
    np.testing.assert_allclose(weights[..., 1], np.pi * ((radius + 0.4) ** 2 - (radius - 0.4) ** 2), rtol=0.01)


def test_many_overlapping_discs_look_like_matplotlibs() -> None:
    random = np.random.default_rng(0)
    points = random.uniform([-4, -4], [64, 49], size=(900, 2))  # some outside of the panel, or half outside
    about = points, random.random((900, 3)), random.random((900, 3)), 2.6, 0.8
    ours, theirs = painted(*about), drawn(*about)
    assert np.abs(ours - theirs).mean() < 1.5
    assert np.abs(ours - theirs).max() < 24
    swapped = painted(*(part[::-1] for part in about[:3]), *about[3:])
    assert np.abs(ours - swapped).mean() > 15  # so a wrong order would be seen


def test_the_last_disc_is_uppermost() -> None:
    points = np.full((3, 2), 20.0)
    faces = np.eye(3)
    shown = painted(points, faces, faces, 4.0, 0.8)
    assert shown[HEIGHT - 25, 30].tolist() == [0, 0, 255]


def test_what_lies_outside_the_panel_is_clipped() -> None:
    empty = painted(np.empty((0, 2)), np.empty((0, 3)), np.empty((0, 3)), 4.0, 0.8)
    assert (empty == [246, 247, 249]).all()
    corners = np.array([[0.0, 0.0], [60.0, 45.0], [-3.0, 22.0], [30.0, 47.0]])
    far = np.array([[-1e9, 5.0], [5.0, 1e300], [np.nan, 5.0], [np.inf, -np.inf]])
    red = np.tile([1.0, 0.0, 0.0], (8, 1))
    shown = painted(np.concatenate([corners, far]), red, red, 4.0, 0.8)
    np.testing.assert_array_equal(shown, painted(corners, red[:4], red[:4], 4.0, 0.8))
    outside = np.ones((HEIGHT, WIDTH), dtype=bool)
    outside[HEIGHT - 50 : HEIGHT - 5, 10:70] = False
    assert (shown[outside] == [246, 247, 249]).all()
    assert (shown[~outside] != [246, 247, 249]).any()
    assert np.abs(shown - drawn(corners, red[:4], red[:4], 4.0, 0.8)).max() <= 14


@pytest.mark.parametrize("width", [0.7, 1.5, 3.0])
def test_lines_look_like_matplotlibs(width: float) -> None:
    random = np.random.default_rng(1)
    starts = random.uniform([-5, -5], [65, 50], size=(300, 1, 2))
    segments = np.concatenate([starts, starts + random.normal(size=(300, 1, 2)) * 6], axis=1)
    segments[0, 1] = segments[0, 0]  # of no length
    colors = np.concatenate([random.random((300, 3)), random.uniform(0.03, 0.9, size=(300, 1))], axis=1)
    lines = PaintedLines(width)
    lines.set_segments(segments)
    lines.set_color(colors)
    ours = picture(made_axes(), lines)
    theirs = picture(made_axes(), LineCollection(segments, linewidths=width, capstyle="round", colors=colors))
    assert np.abs(ours - theirs).mean() < 2.0
    blank = picture(made_axes(), PaintedLines(width))
    np.testing.assert_allclose((ours - blank).sum(), (theirs - blank).sum(), rtol=0.045)


def made_film(theme: str, size: Size, n_items: int = 1200) -> EmbeddingFilm:
    """Make a film of dots, some highlighted, some doubted, some labelled."""
    random = np.random.default_rng(0)
    layout = np.cumsum(random.normal(size=(4, n_items, 2)) * [[[3.0]], [[1.0]], [[0.4]], [[0.2]]], axis=0)
    projection = xr.Dataset(
        {
            "layout": (("step", "token", "axis"), layout),
            "item_recall": (("step", "token"), random.random((4, n_items))),
        },
        coords={"step": np.arange(4) * 100, "token": [f"w{i}" for i in range(n_items)]},
        attrs={"chance": 0.01},
    )
    groups = [Group("few", (3, 700, 44)), Group("many", tuple(range(100, 200)))]
    return EmbeddingFilm(
        [ProjectionView(projection, groups)], [], Caption("Title", "subtitle", "footnote"), size, THEMES[theme]
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_painted_film_looks_like_a_drawn_one(theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size, times = Size(640, 360), [0.0, 1.6, 3.0]
    ours = [frame[..., :3].astype(int) for frame in made_film(theme, size).frames(times)]
    for module in (scatter, embedding_film):
        monkeypatch.setattr(module, "MANY_DOTS", 10_000)
    theirs = [frame[..., :3].astype(int) for frame in made_film(theme, size).frames(times)]
    for painted_frame, drawn_frame in zip(ours, theirs, strict=True):
        difference = np.abs(painted_frame - drawn_frame)
        assert 0 < difference.mean() < 0.2
        assert difference.max() < 40


def test_a_frame_is_the_same_whatever_was_drawn_before() -> None:
    size, times = Size(640, 360), [0.0, 1.25, 2.5, 3.0]
    forward = [frame.copy() for frame in made_film("light", size).frames(times)]
    backward = [frame.copy() for frame in made_film("light", size).frames(times[::-1])]
    np.testing.assert_array_equal(forward, backward[::-1])
    assert all((frame[..., 3] == 255).all() for frame in forward)
