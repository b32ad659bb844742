"""The film shows every snapshot's layout exactly, moves smoothly between them, and nothing jumps."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from data.errors import InputError
from probes.groups.naming import Group
from viz.drawing.canvas import Canvas, Size
from viz.drawing.curve_panel import Curve, CurvePanel, FilmClock
from viz.drawing.layout import Box
from viz.drawing.scatter import fixed_limits
from viz.drawing.text import Caption, text_width
from viz.drawing.theme import THEMES
from viz.films.embedding_film import EmbeddingFilm, ProjectionView
from viz.films.timeline import LEAST_GAP_S, MOST_PX, Motion, Timeline

SIZE = Size(640, 360)


def made_projection(n_steps: int = 6, n_items: int = 12) -> xr.Dataset:
    random = np.random.default_rng(0)
    layout = np.cumsum(random.normal(size=(n_steps, n_items, 2)), axis=0)
    return xr.Dataset(
        {"layout": (("step", "position", "axis"), layout)},
        coords={"step": np.arange(n_steps) * 100, "position": np.arange(n_items)},
    )


def made_film(projection: xr.Dataset, groups: list[Group] | None = None, theme: str = "light") -> EmbeddingFilm:
    steps = projection["step"].values
    curve = Curve("validation loss", steps, np.linspace(4, 2, len(steps)))
    caption = Caption("Title", "subtitle", "footnote")
    view = ProjectionView(projection, groups or [], threaded=True)
    return EmbeddingFilm([view], [curve], caption, SIZE, THEMES[theme])


def test_the_timeline_reaches_every_snapshot_and_holds_the_last() -> None:
    times = list(Timeline(4, fps=10, seconds_per_snapshot=0.5, hold_seconds=1.0))
    assert len(times) == len(Timeline(4, 10, 0.5, 1.0)) == 15 + 10
    assert {0.0, 1.0, 2.0, 3.0} <= set(times)
    assert times[15:] == [3.0] * 10
    assert times == sorted(times)


MOTIONS = st.lists(st.floats(0, 2000) | st.just(0.0), min_size=1, max_size=60)


@given(MOTIONS, st.integers(1, 60), st.floats(0.1, 3.0))
def test_time_goes_where_something_moves(motion: list[float], fps: int, seconds: float) -> None:
    seconds = max(seconds, 1 / fps)
    timeline = Timeline(len(motion) + 1, fps, seconds, 0.0, tuple(motion))
    times, frames = list(timeline), np.diff(timeline.starts)
    assert len(times) == timeline.n_moving + 1  # as long as with even gaps
    assert [times[start] for start in timeline.starts] == list(range(len(motion) + 1))  # each snapshot has its frame
    assert times == sorted(times)
    if any(motion):
        assert (frames >= min(round(LEAST_GAP_S * fps), timeline.n_moving // (3 * len(motion))) - 1).all()
        order = np.argsort(motion)
        assert (np.diff(frames[order]) >= -1).all()  # more motion has no less time, but for rounding


def test_no_point_moves_far_in_a_frame_where_the_film_is_long_enough() -> None:
    motion = (0.0, 0.0, 0.0, 1.0, 900.0, 40.0, 30.0, 20.0)
    frames = np.diff(Timeline(9, 30, 0.5, 2.0, motion).starts)
    assert (np.array(motion) / frames).max() <= MOST_PX * 1.05
    assert frames[:3].sum() / 30 < 0.5  # what stands still passes quickly
    hasty = np.diff(Timeline(9, 30, 0.1, 2.0, motion).starts)  # too short: but the fastest gap has most of the time
    assert hasty.sum() == 24
    assert hasty.argmax() == 4


@pytest.mark.parametrize("n_steps", [2, 3, 4, 9])
def test_motion_is_the_monotone_cubic_through_all_snapshots(n_steps: int) -> None:
    random = np.random.default_rng(n_steps)
    layouts, starts = random.normal(size=(n_steps, 5, 2)), np.cumsum(random.integers(1, 20, n_steps))
    times = np.append(np.linspace(0, n_steps - 1, 64), np.arange(n_steps))
    expected = PchipInterpolator(starts, layouts)(np.interp(times, np.arange(n_steps), starts))
    motion = Motion(layouts, starts)
    np.testing.assert_array_equal(motion.at(times), expected)
    np.testing.assert_array_equal([motion.at(float(time)) for time in times], expected)


def test_motion_is_smooth_although_gaps_differ() -> None:
    layouts = np.cumsum(np.ones((5, 1, 2)) * np.array([0, 1, 10, 1, 10.0])[:, None, None], axis=0)
    timeline = Timeline(5, 30, 1.0, 0.0, (1.4, 14.0, 1.4, 14.0))
    path = Motion(layouts, timeline.starts).at(np.array(list(timeline)))[:, 0, 0]
    np.testing.assert_allclose(path[timeline.starts], layouts[:, 0, 0], atol=1e-9)
    speed = np.diff(path)
    assert np.abs(np.diff(speed)).max() < 0.25 * speed.max()


@pytest.mark.parametrize(("fps", "seconds"), [(0, 0.5), (500, 0.5), (30, 0.0), (30, 100.0), (30, float("nan"))])
def test_a_timeline_that_cannot_be_shown_is_refused(fps: int, seconds: float) -> None:
    with pytest.raises(InputError, match="pass `"):
        Timeline(4, fps, seconds)


def test_motion_passes_through_every_layout_and_never_swings_beyond() -> None:
    layouts = made_projection()["layout"].values
    motion = Motion(layouts)
    for time, layout in enumerate(layouts):
        np.testing.assert_allclose(motion.at(float(time)), layout, atol=1e-12)
    between = motion.at(np.linspace(2, 3, 50))
    low, high = np.minimum(layouts[2], layouts[3]), np.maximum(layouts[2], layouts[3])
    assert (between >= low - 1e-12).all()
    assert (between <= high + 1e-12).all()


def test_a_single_snapshot_stands_still() -> None:
    layouts = made_projection(1)["layout"].values
    np.testing.assert_array_equal(Motion(layouts).at(0.0), layouts[0])
    frames = [frame.copy() for frame in made_film(made_projection(1)).frames(Timeline(1, 10, 0.5, 0.3))]
    assert len(frames) == 3
    assert (frames[0] == frames[2]).all()


def test_the_limits_hold_every_item_at_every_step_in_equal_scales() -> None:
    layouts = made_projection(20)["layout"].values
    x, y = fixed_limits(layouts, 400, 300, margin_px=10)
    scale = (x[1] - x[0]) / 400
    assert (y[1] - y[0]) / 300 == pytest.approx(scale)
    assert layouts[..., 0].min() >= x[0] + 9.99 * scale
    assert layouts[..., 0].max() <= x[1] - 9.99 * scale
    assert layouts[..., 1].min() >= y[0] + 9.99 * scale
    assert layouts[..., 1].max() <= y[1] - 9.99 * scale


def test_the_same_projection_gives_the_same_frames_and_they_are_views_of_the_right_size() -> None:
    times = [0.0, 1.5, 5.0]
    once, again = ([frame.copy() for frame in made_film(made_projection()).frames(times)] for _ in range(2))
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    assert {frame.shape for frame in once} == {(360, 640, 4)}
    assert not (once[0] == once[2]).all()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_highlighted_point_is_drawn_in_its_colour_where_it_stands(theme: str) -> None:
    projection = made_projection()
    film = made_film(projection, [Group("3", (3,))], theme)
    color = np.array([int(THEMES[theme].palette[0][i : i + 2], 16) for i in (1, 3, 5)])
    axes = film.panels[0].axes
    for time in (0, 5):
        (frame,) = (frame.copy() for frame in film.frames([float(time)]))
        x, y = axes.transData.transform(projection["layout"].values[time, 3])
        around = frame[int(360 - y) - 8 : int(360 - y) + 8, int(x) - 8 : int(x) + 8, :3].astype(int)
        assert (np.abs(around - color).max(axis=-1) < 12).any()


def test_the_panel_around_the_points_stands_still() -> None:
    """Title, ticks, axes: outside the points' panel, the cursor, the step and the values, no pixel changes."""
    frames = np.stack([frame.copy() for frame in made_film(made_projection()).frames([0.0, 0.7, 3.2, 5.0])])
    still = (frames == frames[0]).all(axis=(0, 3))
    assert still[:48].mean() > 0.95  # title and subtitle, and the step beside them
    assert still[345:].all()  # ticks and footnote


def test_ticks_are_round_steps_that_keep_apart() -> None:
    steps = np.array([0, 1, 2, 4, 8, 16, 32, 64, *range(100, 5001, 100)])
    ticks, labels = FilmClock(steps).ticks(550, 20)
    assert labels == ["0", "1,000", "2,000", "3,000", "step 5,000"]
    assert ticks == [0, 1000, 2000, 3000, 5000]


@given(st.sets(st.integers(0, 10**7), min_size=1), st.floats(220, 900))
def test_labels_of_steps_stand_inside_the_axis_and_apart(steps: set[int], width: float) -> None:
    clock = FilmClock(np.array(sorted(steps)))
    ticks, labels = clock.ticks(width, 20)
    assert labels[-1] == f"step {max(steps):,}"
    assert ticks[-1] == max(steps)
    assert len(ticks) == len(labels) == len(set(ticks)) <= 7
    low, high = clock.limits
    right = 0.0
    for tick, label in zip(ticks, labels, strict=True):
        long, place = text_width(label, 20), width * (tick - low) / (high - low)
        left = width - long if label == labels[-1] else place if tick == low else place - long / 2
        assert left >= right
        right = left + long + 20
    assert right <= width + 20 + 1e-6


def test_the_curve_of_a_film_is_linear_in_steps() -> None:
    """Step 200 of 1,000 stands at a fifth of the axis, whatever snapshots there are; the cursor reaches it with its snapshot."""
    steps = np.array([0, 1, 2, 4, 8, 16, 32, 64, 100, 200, 600, 1000])
    canvas = Canvas(Size(1920, 1080), THEMES["light"])
    box = Box(100, 100, 500, 200)
    panel = CurvePanel(canvas, box, Curve("loss", steps, 4 - steps / 500), FilmClock(steps), 1.0)
    rule, dot = panel.move(9.0)
    place = rule.get_transform().transform([(rule.get_xdata()[0], 0)])[0]  # type: ignore[attr-defined]
    assert place[0] == pytest.approx(100 + 500 / 5)
    assert dot.get_ydata()[0] == pytest.approx(3.6)  # type: ignore[attr-defined]
    assert panel.show(200)[0].get_text() == "3.60"  # type: ignore[attr-defined]


def test_the_cursor_stands_on_the_step_that_is_shown() -> None:
    clock = FilmClock(np.array([0, 1, 2, 4, 100]))
    assert [clock.step_at(time) for time in (0.0, 0.4, 0.6, 3.0, 3.5, 4.0)] == [0, 0, 1, 4, 100, 100]
    assert clock.step_of(3.0) == 4
    assert clock.step_of(3.5) == 52


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1921x1080", "`size=1922x1080`"),
        ("1920", "WIDTHxHEIGHT"),
        ("axb", "WIDTHxHEIGHT"),
        ("20x20", "between 320x240"),
    ],
)
def test_a_size_that_video_cannot_have_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Size.parse(text)
