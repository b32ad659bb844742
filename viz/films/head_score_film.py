"""The film of head scores: a panel per score and a line per head, drawn up to the time of the film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray

from data.progress import Progress
from data.runs import Run
from probes.registry import parse_layers
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve, format_time_axes
from viz.drawing.film_frame import FilmFrame
from viz.drawing.layout import Box
from viz.drawing.text import Caption, text_width
from viz.drawing.theme import Theme, layer_colors
from viz.explanations import explain
from viz.figures.head_score_figure import ATTENTION, SCORES, SHORT_NAMES, leading_head
from viz.films.film import INTERPOLATED, Film
from viz.films.timeline import interpolate
from viz.grouped_table import loss_curves
from viz.request import FilmRequest

TEXT_PX = 21
FUTURE_OPACITY = 0.16
"""Opacity of the part of a line that training has not reached yet."""
NAMES = SHORT_NAMES | {"duplicate_token": "same token earlier"}
"""Titles where the score's own name would say less."""


@dataclass(frozen=True)
class ScorePanel:
    """One score: its axes, the values (step, head of all layers), the dots that move, and the leading head with its value's text."""

    axes: Axes
    values: NDArray[np.float64]
    dots: PathCollection
    leading: int
    value: Text
    rule: Line2D


class HeadScoreFilm:
    """A film of scores (step, layer, head), each with the attribute ``uniform``: the score of even attention."""

    def __init__(self, scores: xr.Dataset, curves: Sequence[Curve], caption: Caption, size: Size, theme: Theme):
        self.film_frame = FilmFrame(scores["step"], curves, caption, size, theme)
        panel = self.film_frame.layout.panel
        self.film_frame.canvas.panel(panel, 14 * size.unit)
        self._colors = layer_colors(scores.sizes["layer"], theme)
        self._lines: list[Artist] = []
        # Shares of attention have one scale in common, so that small ones look small.
        shares = max((float(scores[name].max()) for name in ATTENTION if name in scores), default=1.0)
        self._top_share = 1.0 if shares > 0.5 else 1.15 * shares
        names = [name for name in SCORES if name in scores]
        boxes = _boxes(panel, len(names), size.unit)
        self._panels = [self._add_panel(scores[name], box) for name, box in zip(names, boxes, strict=True)]
        self._add_layer_key(scores["layer"].values.tolist())
        self._reached = np.empty(0, dtype=np.uint8)

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Draw the frame at each time, counted in snapshots; each is a view of (height, width, 4), valid until the next one."""
        canvas = self.film_frame.canvas
        canvas.save_film_background()
        # All lines to their ends, of which frames show the part left of the cursor.
        self._reached = canvas.frame(self._lines).copy()
        return self.film_frame.frames(times, self._moving, self._paint)

    def _paint(self, time: float, frame: Frame) -> None:
        height = self.film_frame.canvas.size.height
        slack = round(4 * self.film_frame.unit)
        for panel in self._panels:
            box = panel.axes.bbox
            cursor = round(float(panel.axes.transData.transform((time, 0))[0]))
            rows = slice(max(height - round(box.y1) - slack, 0), height - round(box.y0) + slack)
            columns = slice(round(box.x0) - slack, cursor)
            frame[rows, columns] = self._reached[rows, columns]

    def _moving(self, time: float) -> list[Artist]:
        artists: list[Artist] = []
        for panel in self._panels:
            values = interpolate(panel.values, time)
            panel.dots.set_offsets(np.column_stack([np.full(len(values), time), values]))
            panel.rule.set_xdata([time, time])
            panel.value.set_text(f"{values[panel.leading]:z.2f}")
            artists += [panel.rule, panel.dots, panel.value]
        return artists

    def _add_panel(self, score: xr.DataArray, box: Box) -> ScorePanel:
        film_frame, theme, unit = self.film_frame, self.film_frame.canvas.theme, self.film_frame.unit
        score = score.transpose("step", "layer", "head")
        values = score.values.astype(float)
        axes = film_frame.canvas.axes(box)
        colors = [color for color in self._colors for _ in range(values.shape[2])]
        flat = values.reshape(len(values), -1)
        for line, color in zip(flat.T, colors, strict=True):
            width = (2.6 if flat.shape[1] <= 36 else 1.2) * unit
            style: dict[str, Any] = {"color": color, "linewidth": width, "clip_on": False}
            axes.plot(line, alpha=FUTURE_OPACITY, **style)
            self._lines += axes.plot(line, alpha=0.9, animated=True, **style)
        uniform = float(score.attrs.get("uniform", np.nan))
        if np.isfinite(uniform):
            axes.axhline(uniform, color=theme.muted, linewidth=1.6 * unit, dashes=(4, 3), zorder=1)
        axes.set_ylim(0, self._top(str(score.name), float(np.nanmax([flat.max(), uniform]))))
        format_time_axes(axes, film_frame.clock, theme, unit, label_px=0.9 * TEXT_PX, most=3)
        layer, head = leading_head(score)
        name = f"layer {score['layer'].values[layer]} head {score['head'].values[head]}"
        value = self._write_title(box, str(score.name), name)
        sizes = (9 * unit) ** 2 if flat.shape[1] <= 36 else (5 * unit) ** 2
        dots = axes.scatter(
            np.zeros(flat.shape[1]), flat[0], s=sizes, c=colors, animated=True, clip_on=False, zorder=5, linewidths=0
        )
        rule = axes.axvline(0, color=theme.text, linewidth=1.5 * unit, alpha=0.35, animated=True)
        return ScorePanel(axes, flat, dots, layer * values.shape[2] + head, value, rule)

    def _top(self, name: str, highest: float) -> float:
        return self._top_share if name in ATTENTION else 1.0 if name == "entropy" else 1.08 * max(highest, 1e-3)

    def _write_title(self, box: Box, name: str, leading: str) -> Text:
        """Write the name of a score and that of its leading head; return the text for the leading head's value."""
        canvas, size = self.film_frame.canvas, TEXT_PX * self.film_frame.unit
        line = 30 * self.film_frame.unit
        y = box.top + 0.4 * line
        canvas.text(box.left, y + line, NAMES.get(name, name.replace("_", " ")), size=1.05 * size, bold=True)
        canvas.text(box.left, y, leading, size=0.95 * size, color=canvas.theme.muted)
        return canvas.text(box.right, y, "", size=1.05 * size, bold=True, ha="right", animated=True)

    def _add_layer_key(self, layers: Sequence[int]) -> None:
        """Name the colours of the layers in the row above the panel: all where they are few, else the first and the last."""
        canvas, size = self.film_frame.canvas, TEXT_PX * self.film_frame.unit
        x, y = self.film_frame.layout.legend.left, self.film_frame.layout.legend.top
        for layer, color in zip(layers, self._colors, strict=True):
            canvas.text(x, y, "●", color=color, size=1.35 * size, va="center_baseline")
            x += 1.4 * size
            if len(layers) <= 6 or layer in (layers[0], layers[-1]):
                name = f"layer {layer}"
                canvas.text(x, y, name, size=size, va="center_baseline")
                x += text_width(name, size, ink=True) + 1.3 * size
        x += 12 * self.film_frame.unit
        canvas.text(x, y, "- - -  even attention", color=canvas.theme.muted, size=size, va="center_baseline")


def _boxes(panel: Box, n: int, unit: float) -> list[Box]:
    """Divide the panel among ``n`` charts, three in a row, with room for their titles and ticks."""
    n_columns = min(3, n)
    cells = panel.grid(-(-n // n_columns), n_columns, (0, 0))[:n]
    return [cell.inset(left=70 * unit, bottom=52 * unit, right=44 * unit, top=92 * unit) for cell in cells]


def make_head_score_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the scores of all heads."""
    from probes.models.heads import head_scores

    layers = parse_layers(request.layers)
    scores = head_scores(run, layers=layers, seed=request.seed, text=request.text, progress=progress)
    shape = f"{scores.sizes['layer']} layers of {scores.sizes['head']} heads"
    look = request.look
    caption = Caption(
        "What each attention head does",
        f"{run.name}: {shape}" + (f". {explain('induction', 'sink', 'entropy')}" if look["size"].is_wide else ""),
        "Measured on validation text and on random sequences with a repeat. Named is the head that leads at the end (in entropy: the "
        "lowest). " + INTERPOLATED,
    )
    picture = HeadScoreFilm(scores, loss_curves(run), caption, **look)
    leading = []
    for name in ("previous_token", "induction"):
        layer, head = leading_head(scores[name])
        value = float(scores[name][-1, layer, head])
        leading.append(
            f"{scores[name].attrs['long_name']}: layer {scores['layer'].values[layer]} head {head}, {value:z.2f}"
        )
    alt = f"Scores of the attention heads of run {run.name} ({shape}) over training. Leading at the end: {'; '.join(leading)}."
    return Film(run, request, picture, scores, alt, caption.title)
