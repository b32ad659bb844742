"""Films of maps and scores: the pixels are the numbers, every snapshot is exact, nothing stands where it should not."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.text import Text

from viz.drawing.canvas import Size
from viz.drawing.curve_panel import Curve
from viz.drawing.heatmap import Scale, Tile
from viz.drawing.text import Caption, short_label
from viz.drawing.theme import THEMES
from viz.films.head_score_film import HeadScoreFilm
from viz.films.heatmap_film import LEAST_PX, Grid, HeatmapFilm

SIZE = Size(960, 540)
CAPTION = Caption("Title", "subtitle with $ and _", "footnote")


def made_maps(n_steps: int = 4, layers: int = 2, heads: int = 3, n: int = 6) -> np.ndarray:
    """Make causal attention maps (step, layer, head, query, key), whose rows sum to 1."""
    raw = np.random.default_rng(0).random((n_steps, layers, heads, n, n)) * np.tril(np.ones((n, n)))
    return raw / raw.sum(-1, keepdims=True)


def made_film(maps: np.ndarray, theme: str = "light", **more: object) -> HeatmapFilm:
    layers, heads, n = maps.shape[1:4]
    grid = Grid(
        [f"layer {i}" for i in range(layers)],
        [f"head {i}" for i in range(heads)],
        list("abcdefghijklmnopq"[:n]),
        "weight",
        **more,
    )  # type: ignore[arg-type]
    steps = np.arange(len(maps)) * 10
    curve = Curve("loss", steps, np.linspace(3, 1, len(maps)))
    return HeatmapFilm(maps, steps, grid, curves=[curve], caption=CAPTION, size=SIZE, theme=THEMES[theme])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_cell_has_the_colour_of_its_number(theme: str) -> None:
    maps = made_maps()
    film = made_film(maps, theme)
    for time in (0, 3):
        (frame,) = (frame.copy() for frame in film.frames([float(time)]))
        for (layer, head), tile in np.ndenumerate(film.tiles):
            corners = (tile.cell_px * (np.arange(6) + 0.08)).astype(int)  # beside the numbers
            seen = frame[tile.top + corners[:, None], tile.left + corners]
            np.testing.assert_array_equal(seen, film.scale.colors(maps[time, layer, head]))


def test_between_snapshots_rows_still_sum_to_1_and_the_ends_are_exact() -> None:
    maps = made_maps()
    film = made_film(maps)
    np.testing.assert_array_equal(film.at(2.0), maps[2])
    np.testing.assert_allclose(film.at(1.25), 0.75 * maps[1] + 0.25 * maps[2])
    np.testing.assert_allclose(film.at(1.25).sum(-1), 1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_of_weights_are_ordered_in_lightness_and_nothing_looks_like_the_ground(theme: str) -> None:
    """A scale that can be read: lightness goes one way all along, and zero is the panel itself."""
    colors = Scale(THEMES[theme]).colors(np.linspace(0, 1, 200))[:, :3].astype(float)
    lightness = colors @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(lightness)
    direction = -1 if theme == "light" else 1
    assert (direction * steps > -3).all()
    assert abs(lightness[-1] - lightness[0]) > 120
    panel = [int(THEMES[theme].panel[i : i + 2], 16) for i in (1, 3, 5)]
    np.testing.assert_array_equal(colors[0], panel)


def test_a_diverging_scale_has_its_quiet_middle_at_zero() -> None:
    light = Scale(THEMES["light"], diverging=True).colors(np.array([-1.0, 0.0, 1.0]))[:, :3].astype(int)
    assert light[1].min() > 230
    assert light[0, 2] > light[0, 0] + 60  # blue below
    assert light[2, 0] > light[2, 2] + 60  # red above


@pytest.mark.parametrize(("room", "n"), [(100, 7), (100, 100), (64, 256), (50, 512), (9, 10)])
def test_a_tile_fills_its_room_and_no_more(room: int, n: int) -> None:
    tile = Tile.fit(5, 3, room, n)
    frame = np.zeros((120, 120, 4), np.uint8)
    tile.paint(frame, np.full((n, n), 0.25), Scale(THEMES["dark"]))
    painted = frame[..., 3] > 0
    rows, columns = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
    assert painted.sum() == tile.side_px**2
    assert rows.min() >= 3
    assert columns.max() < 5 + room
    assert tile.side_px > room - n if n <= room else tile.side_px == room
    assert (frame[painted] == Scale(THEMES["dark"]).colors(np.array(0.25))).all()  # a mean of equals is itself


@pytest.mark.parametrize("shape", [(1, 1, 1), (12, 12, 64), (1, 8, 20), (6, 1, 1)])
def test_grids_of_any_shape_stay_in_the_panel_without_overlap(shape: tuple[int, int, int]) -> None:
    layers, heads, n = shape
    maps = np.full((2, layers, heads, n, n), 1 / n)
    grid = Grid([f"layer {i}" for i in range(layers)], [f"head {i}" for i in range(heads)], ["token"] * n, "weight")
    film = HeatmapFilm(
        maps, np.array([0, 1]), grid, curves=[], caption=CAPTION, size=Size(1920, 1080), theme=THEMES["light"]
    )
    left, top, width, height = film.film_frame.panel_px()
    covered = np.zeros((1080, 1920), int)
    for tile in film.tiles.flat:
        covered[tile.top : tile.top + tile.side_px, tile.left : tile.left + tile.side_px] += 1
    assert covered.max() == 1
    inside = covered[top : top + height, left : left + width]
    assert inside.sum() == covered.sum()


def test_a_single_small_map_prints_its_numbers_as_of_the_snapshot() -> None:
    maps = made_maps(layers=1, heads=1, n=4)
    film = made_film(maps)
    list(film.frames([3.0]))
    shown = {place[2:]: text.get_text() for place, text in film._numbers}
    assert set(shown) == {(i, j) for i in range(4) for j in range(i + 1)}
    for (i, j), text in shown.items():
        assert float(text) == pytest.approx(maps[3, 0, 0, i, j], abs=0.0051)


def made_scores(n_steps: int = 6) -> xr.Dataset:
    rising = np.linspace(0, 0.9, n_steps)[:, None, None] * np.array([[1.0, 0.2], [0.1, 0.3]])
    names = ("previous_token", "duplicate_token", "induction", "sink", "entropy", "distance")
    data = {name: (("step", "layer", "head"), rising, {"uniform": 0.1}) for name in names}
    return xr.Dataset(data, coords={"step": np.arange(n_steps) * 5, "layer": [0, 1], "head": [0, 1]})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_scores_are_drawn_strongly_only_as_far_as_training_has_come(theme: str) -> None:
    scores = made_scores()
    film = HeadScoreFilm(scores, [], CAPTION, Size(1920, 1080), THEMES[theme])
    early, late = (frame.copy() for frame in film.frames([1.0, 5.0]))
    axes = film._panels[0].axes
    color = np.array([int(film._colors[0][i : i + 2], 16) for i in (1, 3, 5)])

    def strong(frame: np.ndarray, time: float) -> bool:
        step = film.film_frame.clock.step_of(time)
        x, y = axes.transData.transform((step, float(np.interp(step, scores["step"], scores["sink"][:, 0, 0]))))
        around = frame[1080 - int(y) - 4 : 1080 - int(y) + 4, int(x) - 4 : int(x) + 4, :3].astype(int)
        return bool((np.abs(around - color).max(-1) < 45).any())

    assert strong(early, 0.8)
    assert not strong(early, 3.0)
    assert strong(late, 3.0)


def test_scores_that_are_shares_have_one_scale() -> None:
    scores = made_scores()
    scores["induction"] = scores["induction"] * 0.05
    film = HeadScoreFilm(scores, [], CAPTION, SIZE, THEMES["light"])
    tops = {panel.axes.get_ylim()[1] for panel in film._panels[:4]}
    assert tops == {1.0}


def shown_film(tokens: list[str], shape: tuple[int, int], size: Size) -> HeatmapFilm:
    layers, heads = shape
    grid = Grid([f"layer {i}" for i in range(layers)], [f"head {i}" for i in range(heads)], tokens, "weight")
    maps = made_maps(2, layers, heads, len(tokens))
    film = HeatmapFilm(maps, np.array([0, 10]), grid, curves=[], caption=CAPTION, size=size, theme=THEMES["light"])
    list(film.frames([1.0]))
    return film


def boxes_of(film: HeatmapFilm) -> list[tuple[str, float, np.ndarray]]:
    """List every text of the picture with its size and its box in pixels."""
    canvas = film.film_frame.canvas
    texts = [text for text in canvas.figure.findobj(Text) if text.get_text().strip()]
    return [
        (t.get_text(), t.get_fontsize(), np.array(t.get_window_extent(canvas._agg.get_renderer()).extents))
        for t in texts
    ]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "size", [Size(1920, 1080), Size(1280, 720), Size(640, 360), Size(1080, 1080), Size(1080, 1500)]
)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (4, 4), (2, 3)])
@pytest.mark.parametrize("n", [2, 5, 18, 64])
def test_tokens_and_weights_stand_where_they_can_be_read_or_the_film_says_what_it_lacks(
    n: int, shape: tuple[int, int], size: Size
) -> None:
    tokens = list("A figura é poética" * 4)[:n]
    film = shown_film(tokens, shape, size)
    boxes = boxes_of(film)
    texts = [text for text, _, _ in boxes]
    inside = [(text, px, box) for text, px, box in boxes if text in {*map(short_label, tokens)} or text[0] == "."]
    assert all(px >= LEAST_PX for _, px, _ in inside)
    for place, (text, _, box) in enumerate(inside):
        assert box[0] >= 0, text
        assert box[3] <= size.height, text
        for other, _, beside in inside[:place]:
            apart = (
                min(box[2], beside[2]) - max(box[0], beside[0]) <= 1
                or min(box[3], beside[3]) - max(box[1], beside[1]) <= 1
            )
            assert apart, (text, other)
    labels = sum(text in {*map(short_label, tokens)} for text in texts)
    said = " ".join(texts)
    assert film.note.split(":")[0] in said
    if "labels" not in film.note and "is labelled" not in film.note:
        assert labels >= 2 * n
    if "weights" not in film.note:
        assert len(film._numbers) == n * (n + 1) // 2 * shape[0] * shape[1]


def test_one_head_prints_the_weights_of_a_sentence_at_720p_and_more() -> None:
    for size in (Size(1920, 1080), Size(1280, 720), Size(1080, 1500)):
        film = shown_film(list("A figura é poética"), (1, 1), size)
        assert not film.note
        assert len(film._numbers) == 18 * 19 // 2


def test_the_heads_of_one_layer_fill_the_panel() -> None:
    film = shown_film(list("A figura é poética"), (1, 4), Size(1920, 1080))
    assert "labels" not in film.note
    _, _, width, height = film.film_frame.panel_px()
    covered = sum(tile.side_px**2 for tile in film.tiles.flat)
    assert covered > 0.35 * min(width, height) ** 2
