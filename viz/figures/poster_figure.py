"""The poster of a training, which stands for the film in print: six layouts of a table at one scale, the way between them, the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.language import digits, say
from viz.drawing.curve_panel import Curve, FilmClock, step_axis
from viz.drawing.layout import Box
from viz.drawing.legend import item_colors
from viz.drawing.lines import quiet_axes
from viz.drawing.scatter import Trails, add_scatter_axes, half_width
from viz.drawing.slide import LINE_PT, SIZES, Slide, blank_slide
from viz.drawing.text import TEXT_PT, Caption, text_width
from viz.drawing.theme import THEMES, Theme, role_color
from viz.fidelity.trust import doubted
from viz.figures.map_figure import NAME_PT, disc_radius, draw_items, named_items, write_key
from viz.films.timeline import Motion
from viz.grouped_table import GroupedTable

PANELS = 6
MOST_TRAILS = 60
"""More trails than this would merge into an area."""
TRAIL_POINTS = 40
GAP_PT = 16
LOSS_SHARE, LEAST_LOSS_PT, TICKS_PT = 0.22, 130.0, 26
"""Share of the loss, its smallest height, and the height of its tick labels."""
WIDE = 1.9
"""Width over height from which the loss stands beside the maps."""
LEAST_MAPS_PT, LEAST_BESIDE_PT = 260.0, 800.0
"""Where less height would be left for the maps, the loss is left out; on narrower slides, it does not stand beside them."""
SAME_SCALE = "Same scale in all panels; a line shows the way since the panel before."


def draw_poster(
    subject: GroupedTable,
    projection: xr.Dataset,
    caption: Caption,
    loss: Curve | None = None,
    *,
    theme: Theme = THEMES["light"],
    inches: tuple[float, float] = SIZES["16:9"],
) -> Figure:
    """Draw six layouts of a projection with the same limits, and below them the loss with their steps marked.

    Parameters
    ----------
    subject : the table with its groups; those highlighted have trails, or all items if none is.
    projection : ``layout`` (step, item, axis) and ``trustworthiness`` (step).
    caption : title and subtitle; the footnote is about films and is left out.
    loss : of the run, if there is one.
    inches : width and height of the slide.
    """
    slide = blank_slide(caption.title, f"{caption.subtitle}. {say(SAME_SCALE)}", theme, inches)
    colors = item_colors(len(subject.labels), subject.groups or subject.classes, theme, ordered=subject.is_ordered)
    chosen, marks = key_snapshots(projection["layout"].values), doubted(projection)
    shown = np.zeros((len(chosen), len(colors))) if marks is None else marks[chosen].astype(np.float64)
    area = write_key(slide, subject, doubt=bool(shown.any()))
    if loss is not None:
        area, beside = _with_room_for_loss(area)
        if beside is not None:
            _draw_loss(slide, beside, loss, FilmClock.of(projection["step"]), chosen)
    columns = max((1, 2, 3, 6), key=lambda n: min(area.width / n, 1.3 * area.height * n / PANELS))
    cells = area.grid(-(-len(chosen) // columns), columns, (GAP_PT, GAP_PT))
    style: dict[str, Any] = {"colors": colors, "limits_of": chosen}
    for place, (cell, doubt) in enumerate(zip(cells, shown, strict=False), 1):
        _draw_panel(slide, cell, subject, projection, chosen=chosen[:place], doubt=doubt, **style)
    return slide.figure


def _with_room_for_loss(area: Box) -> tuple[Box, Box | None]:
    """Divide an area: the loss stands at the right of wide maps, else below them, or nowhere if there is little room."""
    if area.width > max(WIDE * area.height, LEAST_BESIDE_PT):
        maps, loss = area.columns([1 - LOSS_SHARE, LOSS_SHARE], 2 * GAP_PT)
        return maps, loss
    share = max(LOSS_SHARE, LEAST_LOSS_PT / area.height)
    if (1 - share) * area.height < LEAST_MAPS_PT:
        return area, None
    maps, loss = area.rows([1 - share, share], GAP_PT)
    return maps, loss


def key_snapshots(layouts: NDArray[np.floating], most: int = PANELS) -> list[int]:
    """Choose snapshots between which the points move about equally far, the first and the last among them.

    Parameters
    ----------
    layouts : (step, item, axis).
    most : how many to choose; all if there are no more.

    Examples
    --------
    >>> places = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0])[:, None, None] * np.ones((1, 4, 2))
    >>> key_snapshots(places, 4)
    [0, 3, 4, 6]
    """
    n = len(layouts)
    if n <= most:
        return list(range(n))
    moved = np.linalg.norm(np.diff(layouts.astype(np.float64), axis=0), axis=2).mean(axis=1)
    way = np.concatenate([[0.0], np.cumsum(moved)])
    chosen = [0]
    for part in range(1, most - 1):
        wanted, left = way[-1] * part / (most - 1), most - 1 - part
        nearest = int(np.abs(way - wanted).argmin())
        chosen.append(min(max(nearest, chosen[-1] + 1), n - 1 - left))
    return [*chosen, n - 1]


def _draw_panel(
    slide: Slide,
    cell: Box,
    subject: GroupedTable,
    projection: xr.Dataset,
    *,
    colors: Sequence[str],
    chosen: Sequence[int],
    limits_of: Sequence[int],
    doubt: NDArray[np.float64],
) -> None:
    """Draw the last of the ``chosen`` snapshots, with trails from the one before; limits hold the layouts of ``limits_of``."""
    layouts, now = projection["layout"].values.astype(np.float64), chosen[-1]
    name = FilmClock.of(projection["step"]).label(int(projection["step"][now]))
    trust = say("trustworthiness {value:z.2f}", value=float(projection["trustworthiness"][now]))
    slide.text(cell.left, cell.bottom + 4, name, bold=True)
    longest = max(text_width(say("step {step:,}", step=int(step)), bold=True) for step in projection["step"].values)
    if longest + text_width(trust) + 12 <= cell.width:  # in all panels or in none
        slide.text(cell.right, cell.bottom + 4, trust, color=slide.theme.muted, ha="right")
    box = cell.inset(bottom=LINE_PT + 4)
    members, named = [i for group in subject.groups for i in group.members], named_items(subject, layouts[-1], box)
    margin = max([1.6 * disc_radius(subject.labels, box), *(half_width(subject.labels[i], NAME_PT) for i in named)])
    axes = add_scatter_axes(slide, box, layouts[list(limits_of)], margin=margin, corner=8)
    trailed = members or (list(range(len(colors))) if len(colors) <= MOST_TRAILS else [])
    if len(chosen) > 1:
        Trails(axes, trailed, colors, 1.4).show(Motion(layouts).at(np.linspace(chosen[-2], now, TRAIL_POINTS)))
    draw_items(slide, axes, box, subject, layouts[now], colors=colors, named=named, doubt=doubt, thread_pt=1.2)


def _draw_loss(slide: Slide, box: Box, loss: Curve, clock: FilmClock, chosen: Sequence[int]) -> None:
    """Draw the validation loss, with a dot and a rule at each of the chosen snapshots."""
    theme, color = slide.theme, role_color(slide.theme, loss.role)
    value = digits(f"{loss.values[-1]:z.2f}")
    room = box.width - text_width(value, bold=True) - 12
    slide.text(box.left, box.top - TEXT_PT, loss.title if text_width(loss.title) <= room else loss.title.split(" (")[0])
    slide.text(box.right, box.top - TEXT_PT, value, bold=True, ha="right")
    axes = slide.axes(box.inset(left=28, right=6, top=LINE_PT + 4, bottom=TICKS_PT))
    quiet_axes(axes, theme, bins=3)
    axes.plot(loss.steps, loss.values, color=color, linewidth=3, clip_on=False)
    steps = clock.steps[list(chosen)]
    for step in steps:
        axes.axvline(step, color=theme.muted, linewidth=1, alpha=0.5)
    axes.plot(steps, np.interp(steps, loss.steps, loss.values), "o", color=color, markersize=9, clip_on=False)
    axes.locator_params(axis="y", nbins=2)
    step_axis(axes, clock)
