"""Modules of the player that compute places, asked in a real browser without a page around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from viz.player.bundle import script

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MODULES = ("ranked_rows", "map_grid", "word_lines", "drawing")


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """A page whose ``window`` holds modules of the player."""
    page = browser.new_page()
    named = ", ".join(f"{name}: ${name}" for name in MODULES)
    page.set_content(f"<script type=module>{script('page')}\nwindow.modules = {{ {named} }};</script>")
    page.wait_for_function("window.modules")
    yield page
    page.close()


def placed(modules: Page, between: float) -> dict[str, tuple[float, float]]:
    """Place rows between a snapshot whose leaders are a, b, c and one whose leaders are b, a, d; return place and opacity of each."""
    found = modules.evaluate(
        """between => modules.ranked_rows.placeRows({ index: Math.round(between), from: 0, to: 1, between },
             index => [["a", "b", "c"], ["b", "a", "d"]][index])""",
        between,
    )
    return {row["id"]: (row["place"], row["opacity"]) for row in found}


def test_rows_at_a_snapshot_are_its_leaders_in_order(modules: Page) -> None:
    assert placed(modules, 0) == {"a": (0, 1), "b": (1, 1), "c": (2, 1)}


def test_rows_move_between_their_places_and_those_that_leave_fade(modules: Page) -> None:
    found = placed(modules, 0.25)
    assert found["a"] == (0.25, 1)
    assert found["b"] == (0.75, 1)
    assert found["c"] == pytest.approx((2.25, 0.75))
    assert found["d"] == pytest.approx((2.75, 0.25))


@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (2, 4), (4, 4), (6, 6), (12, 12), (24, 16)])
@pytest.mark.parametrize("size", [(496, 530), (800, 880), (1200, 400), (330, 600), (160, 700)])
def test_every_map_has_a_place_of_its_own_in_the_panel(
    modules: Page, shape: tuple[int, int], size: tuple[int, int]
) -> None:
    gap, caption = 4, 16
    names = {"before": 60, "over": 20}
    found: dict[str, Any] = modules.evaluate(
        """([width, height, nLayers, nHeads, gap, captionPx, names]) => {
          const room = { usual: names, turned: names };
          const grid = modules.map_grid.arrangeMaps({ width, height, nLayers, nHeads, gap, captionPx, names: room });
          const places = [];
          for (let i = 0; i < nLayers * nHeads; i += 1) places.push(grid.place(Math.floor(i / nHeads), i % nHeads));
          return { ...grid, places };
        }""",
        [*size, *shape, gap, caption, names],
    )
    places = [(place["line"], place["column"]) for place in found["places"]]
    assert len(set(places)) == shape[0] * shape[1]
    over, before = (20, 60) if found["isTable"] else (0, 0)
    line_px = found["room"] + gap + (0 if found["isTable"] else caption)
    for line, column in places:
        assert before + found["shift"] + (column + 1) * (found["room"] + gap) <= size[0] + 1e-6
        assert over + (line + 1) * line_px <= size[1] + 1e-6
    usual = min((size[0] - 60) / shape[1], (size[1] - 20) / shape[0]) - gap
    assert found["room"] >= usual
    if not found["isTable"]:
        assert places == sorted(places) or found["nColumns"] > 1


def test_maps_of_few_heads_are_larger_than_in_a_row_each(modules: Page) -> None:
    room = modules.evaluate(
        """() => modules.map_grid.arrangeMaps({ width: 496, height: 530, nLayers: 2, nHeads: 4, gap: 10, captionPx: 16,
             names: { usual: { before: 60, over: 20 }, turned: { before: 60, over: 20 } } }).room"""
    )
    assert room > 1.3 * ((496 - 60) / 4 - 10)


@pytest.mark.parametrize("direction", ["across", "down"])
def test_a_word_is_found_where_it_is_written(modules: Page, direction: str) -> None:
    found = modules.evaluate(
        """direction => {
          const context = document.createElement("canvas").getContext("2d");
          const tokens = ["Once", " upon", " a", " midnight", " dreary"];
          const box = { left: 0, top: 0, width: 600, height: 300 };
          const places = modules.word_lines.placeWords(context, tokens, box, { direction, font: "sans-serif" });
          const at = spots => spots.map(spot => modules.word_lines.wordAt(places, spot));
          const [a, b] = [places.queries[2], places.keys[2]];
          const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
          return { queries: at(places.queries), keys: at(places.keys), middle: at([middle])[0] };
        }""",
        direction,
    )
    assert found["queries"] == [{"side": "query", "index": i} for i in range(5)]
    assert found["keys"] == [{"side": "key", "index": i} for i in range(5)]
    assert found["middle"] is None


@pytest.mark.parametrize(
    ("share", "language", "text"),
    [
        (0.386, "en", "0.39"),
        (0.0143, "pt-BR", "0,01"),
        (0.004, "en", "<0.01"),
        (0.004, "pt-BR", "<0,01"),
        (0, "en", "0"),
    ],
)
def test_probabilities_are_written_with_two_decimals(modules: Page, share: float, language: str, text: str) -> None:
    assert modules.evaluate("([s, l]) => modules.drawing.formatHundredths(s, l)", [share, language]) == text
