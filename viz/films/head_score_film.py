"""The film of head scores: a panel a score, a line a head, drawn as far as training has come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from numpy.typing import NDArray

from data.progress import Progress
from data.runs import Run
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve
from viz.drawing.film_frame import FilmFrame
from viz.drawing.legend import Caption, Rect, add_ground, text_width
from viz.drawing.slide import layer_colors
from viz.drawing.theme import Theme
from viz.figures.head_score_figure import SCORES, leading_head
from viz.films.film import INTERPOLATED, Film
from viz.films.timeline import between
from viz.grouped_table import loss_curves
from viz.request import FilmRequest

TEXT_PX = 21
STILL_TO_COME = 0.16
"""Opacity of the part of a line that training has not reached yet."""
WORDINGS = {
    "previous_token": "previous token",
    "duplicate_token": "same token earlier",
    "induction": "induction",
    "sink": "first token (sink)",
    "entropy": "entropy (1: even)",
    "distance": "distance (tokens)",
}
SHARES = ("previous_token", "duplicate_token", "induction", "sink")
"""Scores that are shares of attention: they have one scale in common, so that what is next to nothing looks like it."""


@dataclass(frozen=True)
class ScorePanel:
    """One score: its axes, the values (step, head of all layers), the dots that move, and the leading head's value."""

    axes: Axes
    values: NDArray[np.float64]
    dots: PathCollection
    leading: int
    told: Text
    rule: Artist


class ScoreFilm:
    """The picture of head scores at any time of the film.

    Parameters
    ----------
    scores : variables (step, layer, head), with the attribute ``uniform``: what a head scores that attends evenly.
    """

    def __init__(self, scores: xr.Dataset, curves: Sequence[Curve], caption: Caption, size: Size, theme: Theme):
        self.stage = FilmFrame(scores["step"].values, curves, caption, size, theme)
        figure, unit = self.stage.canvas.figure, size.unit
        add_ground(figure, self.stage.arrangement.panel, theme, 14 * unit)
        self._colors = layer_colors(scores.sizes["layer"], theme)
        self._strong: list[Artist] = []
        shares = max((float(scores[name].max()) for name in SHARES if name in scores), default=1.0)
        self._top_share = 1.0 if shares > 0.5 else 1.15 * shares
        names = [name for name in SCORES if name in scores]
        places = _places(self.stage.arrangement.panel, len(names), size)
        self._panels = [self._add_panel(scores[name], at) for name, at in zip(names, places, strict=True)]
        self._add_layers(scores.sizes["layer"])
        self._reached = np.empty(0, dtype=np.uint8)

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Yield the frame at each time (counted in snapshots), a view of (height, width, 4) valid until the next one."""
        canvas = self.stage.canvas
        canvas.keep_still()
        self._reached = canvas.frame(
            self._strong
        ).copy()  # all lines to their ends; frames show the part left of the cursor
        return self.stage.frames(times, self._moving, self._paint)

    def _paint(self, time: float, frame: Frame) -> None:
        height = self.stage.canvas.size.height
        slack = round(4 * self.stage.unit)
        for panel in self._panels:
            box = panel.axes.bbox
            cursor = round(float(panel.axes.transData.transform((time, 0))[0]))
            rows = slice(max(height - round(box.y1) - slack, 0), height - round(box.y0) + slack)
            columns = slice(round(box.x0) - slack, cursor)
            frame[rows, columns] = self._reached[rows, columns]

    def _moving(self, time: float) -> list[Artist]:
        artists: list[Artist] = []
        for panel in self._panels:
            values = between(panel.values, time)
            panel.dots.set_offsets(np.column_stack([np.full(len(values), time), values]))
            panel.rule.set_xdata([time, time])  # type: ignore[attr-defined]
            panel.told.set_text(f"{values[panel.leading]:.2f}")
            artists += [panel.rule, panel.dots, panel.told]
        return artists

    def _add_panel(self, score: xr.DataArray, at: Rect) -> ScorePanel:
        stage, theme, unit = self.stage, self.stage.canvas.theme, self.stage.unit
        score = score.transpose("step", "layer", "head")
        values = score.values.astype(float)
        axes = stage.canvas.figure.add_axes(at)
        colors = [color for color in self._colors for _ in range(values.shape[2])]
        flat = values.reshape(len(values), -1)
        for line, color in zip(flat.T, colors, strict=True):
            style: dict[str, Any] = {
                "color": color,
                "linewidth": (2.6 if flat.shape[1] <= 36 else 1.2) * unit,
                "clip_on": False,
            }
            axes.plot(line, alpha=STILL_TO_COME, **style)
            self._strong += axes.plot(line, alpha=0.9, animated=True, **style)
        uniform = float(score.attrs.get("uniform", np.nan))
        if np.isfinite(uniform):
            axes.axhline(uniform, color=theme.muted, linewidth=1.6 * unit, dashes=(4, 3), zorder=1)
        self._dress(axes, self._top(str(score.name), float(np.nanmax([flat.max(), uniform]))))
        layer, head = leading_head(score)
        told = self._title(
            at, str(score.name), f"layer {score['layer'].values[layer]} head {score['head'].values[head]}"
        )
        sizes = (9 * unit) ** 2 if flat.shape[1] <= 36 else (5 * unit) ** 2
        dots = axes.scatter(
            np.zeros(flat.shape[1]), flat[0], s=sizes, c=colors, animated=True, clip_on=False, zorder=5, linewidths=0
        )
        rule = axes.axvline(0, color=theme.text, linewidth=1.5 * unit, alpha=0.35, animated=True)
        return ScorePanel(axes, flat, dots, layer * values.shape[2] + head, told, rule)

    def _top(self, name: str, highest: float) -> float:
        return self._top_share if name in SHARES else 1.0 if name == "entropy" else 1.08 * max(highest, 1e-3)

    def _dress(self, axes: Axes, top: float) -> None:
        theme, unit, clock = self.stage.canvas.theme, self.stage.unit, self.stage.clock
        axes.set_facecolor("none")
        axes.set_xlim(0, max(len(clock.steps) - 1, 1))
        axes.set_ylim(0, top)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(theme.line)
        axes.tick_params(colors=theme.muted, labelsize=0.9 * TEXT_PX * unit, length=0, pad=6 * unit)
        axes.locator_params(axis="y", nbins=3)
        axes.grid(axis="y", color=theme.line, linewidth=unit, alpha=0.5)
        axes.set_axisbelow(True)
        axes.set_xticks(*clock.ticks(3))

    def _title(self, at: Rect, name: str, leading: str) -> Text:
        """Write what a panel shows and which head leads at the end; return the text that tells its value."""
        figure, theme, unit = self.stage.canvas.figure, self.stage.canvas.theme, self.stage.unit
        left, bottom, width, height = at
        line = 30 * unit / self.stage.canvas.size.height
        top = bottom + height + 0.4 * line
        figure.text(left, top + line, WORDINGS[name], fontsize=1.05 * TEXT_PX * unit, weight="bold", color=theme.text)
        figure.text(left, top, leading, fontsize=0.95 * TEXT_PX * unit, color=theme.muted)
        value: dict[str, Any] = {
            "fontsize": 1.05 * TEXT_PX * unit,
            "weight": "bold",
            "ha": "right",
            "color": theme.text,
        }
        return figure.text(left + width, top, "", animated=True, **value)

    def _add_layers(self, n_layers: int) -> None:
        """Name the layers' colours in the row above the panel: each where they are few, else the first and the last."""
        figure, unit, size = self.stage.canvas.figure, self.stage.unit, TEXT_PX * self.stage.unit
        width = self.stage.canvas.size.width
        x, y = self.stage.arrangement.legend
        for layer, color in enumerate(self._colors):
            figure.text(x, y, "●", color=color, fontsize=1.35 * size, va="center_baseline")
            x += 1.4 * size / width
            if n_layers <= 6 or layer in (0, n_layers - 1):
                name = f"layer {layer}"
                figure.text(x, y, name, color=self.stage.canvas.theme.text, fontsize=size, va="center_baseline")
                x += (text_width(name, size) + 1.3 * size) / width
        figure.text(
            x + 12 * unit / width,
            y,
            "- - -  even attention",
            color=self.stage.canvas.theme.muted,
            fontsize=size,
            va="center_baseline",
        )


def _places(panel: Rect, n: int, size: Size) -> list[Rect]:
    """Divide the panel among ``n`` charts, three in a row, with room for their words and ticks."""
    left, bottom, width, height = panel
    across, down = size.unit / size.width, size.unit / size.height
    n_columns = min(3, n)
    n_rows = -(-n // n_columns)
    cell_w, cell_h = width / n_columns, height / n_rows
    margins = (70 * across, 52 * down, 44 * across, 92 * down)  # left, bottom, right, top
    return [
        (
            left + (i % n_columns) * cell_w + margins[0],
            bottom + (n_rows - 1 - i // n_columns) * cell_h + margins[1],
            cell_w - margins[0] - margins[2],
            cell_h - margins[1] - margins[3],
        )
        for i in range(n)
    ]


def make_head_score_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the scores of all heads."""
    from probes.models.heads import head_scores

    scores = head_scores(run, seed=request.seed, text=request.text, progress=progress)
    shape = f"{scores.sizes['layer']} layers of {scores.sizes['head']} heads"
    caption = Caption(
        "What each attention head does",
        f"{run.name}: {shape}, measured on validation text and on random sequences with a repeat",
        "Named is the head that leads at the end (in entropy: the lowest). " + INTERPOLATED,
    )
    picture = ScoreFilm(scores, loss_curves(run), caption, **request.look)
    leading = []
    for name in ("previous_token", "induction"):
        layer, head = leading_head(scores[name])
        leading.append(
            f"{scores[name].attrs['long_name']}: layer {layer} head {head}, {float(scores[name][-1, layer, head]):.2f}"
        )
    alt = f"Scores of the attention heads of run {run.name} ({shape}) over training. Leading at the end: {'; '.join(leading)}."
    return Film(run, request, picture, scores, alt)
