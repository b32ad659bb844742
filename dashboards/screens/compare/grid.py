"""The panels of several runs in a grid that follows from their number and the window, with one legend and the losses of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboards.page import Page, show_scene, validation_losses
from dashboards.player import Events
from data.errors import InputError
from data.runs.labels import read_label
from viz.drawing.theme import run_color
from viz.player.comparison_panels import LegendLine, SharedLegend
from viz.player.panels import Curves, Panel, Samples, Series
from viz.player.scene import NarrowGrid

FIELDS = ("with", "view")
# The width that panels have beside the sidebar: a laptop's window holds three columns. On a phone, the player makes one of any grid.
TWO_COLUMNS_BELOW_PX = 900
RUN_HEIGHT_PX, LOSS_HEIGHT_PX, LEGEND_HEIGHT_PX = 250, 150, 50
LOSS_ROW = f"minmax({LOSS_HEIGHT_PX}px, 2fr)"


@dataclass(frozen=True)
class Row:
    """A row of a grid: the areas of its panels, and its height in CSS and at least in pixels."""

    areas: Sequence[str]
    height: str
    least_px: int


@dataclass(frozen=True)
class PanelGrid:
    """The rows of a grid in wide windows, and in narrower ones."""

    wide: Sequence[Row]
    narrow: Sequence[Row]


def area(place: int) -> str:
    """Name the area of a run by its place among those that are compared."""
    return f"run{place}"


def rows_of(areas: Sequence[str], columns: int, height: str, least_px: int) -> list[Row]:
    """Lay out panels in rows of at most so many columns; the last row is filled.

    Examples
    --------
    >>> [list(row.areas) for row in rows_of(["a", "b", "c", "d", "e"], 3, "1fr", 250)]
    [['a', 'b', 'c'], ['d', 'e']]
    """
    starts = range(0, len(areas), columns)
    return [Row(areas[start : start + columns], height, least_px) for start in starts]


def grid_of_runs(n: int, run_height: str = "7fr", loss_height: str = LOSS_ROW) -> PanelGrid:
    """Lay out the panels of ``n`` runs above their losses: up to three beside each other, and four as two by two."""
    areas, loss = [area(place) for place in range(n)], Row(["loss"], loss_height, LOSS_HEIGHT_PX)

    def rows(columns: int) -> list[Row]:
        return [*rows_of(areas, columns, run_height, RUN_HEIGHT_PX), loss]

    return PanelGrid(rows(2 if n == 4 else 3), rows(2))


def stacked_grid(wide: Sequence[Row]) -> PanelGrid:
    """Make a grid from its rows in a wide window: in a narrow one, two panels at most stand beside each other."""
    return PanelGrid(wide, [part for row in wide for part in rows_of(row.areas, 2, row.height, row.least_px)])


def template(rows: Iterable[Row]) -> str:
    """Write rows as CSS ``grid-template``, with the legend above them.

    Examples
    --------
    >>> template([Row(["a", "b"], "2fr", 100), Row(["loss"], "1fr", 100)])
    '"legend legend legend legend legend legend" auto "a a a b b b" 2fr "loss loss loss loss loss loss" 1fr / 1fr 1fr 1fr 1fr 1fr 1fr'
    """
    lines = [f'"{" ".join(["legend"] * 6)}" auto']
    for row in rows:
        cells = " ".join(" ".join([name] * (6 // len(row.areas))) for name in row.areas)
        lines.append(f'"{cells}" {row.height}')
    # The short form that holds areas has no place for repeat().
    return f"{' '.join(lines)} / {' '.join(['1fr'] * 6)}"


def _height_px(rows: Sequence[Row]) -> int:
    return LEGEND_HEIGHT_PX + sum(row.least_px for row in rows)


def show_panels(
    pages: Sequence[Page],
    panels: Sequence[Panel],
    grid: PanelGrid,
    *,
    title: str,
    steps: Iterable[Sequence[int]],
    fields: Sequence[str] = (),
    entries: Sequence[LegendLine] = (),
    note: str = "",
) -> Events:
    """Show panels with one legend, under a slider that stops at the snapshots of all runs.

    Parameters
    ----------
    pages : of the runs that are compared.
    panels : what is shown; the losses of all runs are added where the grid has an area for them.
    grid : where the panels stand.
    title : of the legend: what all panels show.
    steps : the snapshots of each run.
    fields : further fields of the address that the view uses.
    entries : of the legend, after the runs.
    note : a line below the legend.
    """
    first = pages[0]
    union = sorted({int(step) for some in steps for step in some})
    if not union:
        st.info(first.say("page.no_snapshots"))
        return Events()
    legend = SharedLegend("legend", "legend", title, entries=[*_runs(pages), *entries], note=note)
    losses = [_losses(pages)] if any("loss" in row.areas for row in grid.wide) else []
    narrow = NarrowGrid(TWO_COLUMNS_BELOW_PX, template(grid.narrow), _height_px(grid.narrow))
    return show_scene(
        first,
        "compare",
        [legend, *panels, *losses],
        template(grid.wide),
        union,
        fields=(*FIELDS, *fields),
        least_px=_height_px(grid.wide),
        narrow_grids=[narrow],
    )


def color_of(pages: Sequence[Page], place: int) -> str:
    """Look up the colour of a run: the one that it was given, or else that of its place among those that are compared."""
    return read_label(pages[place].run).color or run_color(pages[place].theme, place)


def name_of(page: Page) -> str:
    """Return the name of a run that is shown: the one that it was given, or else its own."""
    return read_label(page.run).name or page.run.name


def message_panel(page: Page, where: str, message: str | InputError, title: str = "") -> Samples:
    """Build a panel that says why there is no picture in its place."""
    text = message if isinstance(message, str) else page.say.error(message)
    return Samples(where, where, title or name_of(page), texts=(), empty=text)


def _runs(pages: Sequence[Page]) -> list[LegendLine]:
    return [LegendLine(name_of(page), color_of(pages, place)) for place, page in enumerate(pages)]


def _losses(pages: Sequence[Page]) -> Curves:
    series = []
    for place, page in enumerate(pages):
        steps, losses = validation_losses(page) or ([], [])
        series.append(Series(name_of(page), color_of(pages, place), steps, losses))
    return Curves("loss", "loss", pages[0].say("compare.losses"), series=series, has_names=False, about=("loss",))
