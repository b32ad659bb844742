"""The film of head scores: a panel per score and a line per head, drawn up to the time of the film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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

from data.language import digits, say
from data.progress import Progress
from data.runs import Run
from probes.registry import parse_layers
from viz.drawing.canvas import AnimatedPanel, Frame, Size
from viz.drawing.curve_panel import Curve, FilmClock, format_step_axes
from viz.drawing.film_frame import FilmFrame
from viz.drawing.layout import Box
from viz.drawing.text import Caption, text_width
from viz.drawing.theme import Theme, layer_colors
from viz.explanations import explain
from viz.figures.head_score_figure import ATTENTION, SCORES, leading_head, score_title
from viz.films.film import Film
from viz.films.timeline import interpolate
from viz.grouped_table import loss_curves
from viz.request import FilmRequest

TEXT_PX = 21
FUTURE_OPACITY = 0.16
"""Opacity of the part of a line that training has not reached yet."""
LEADING_PX = 6
"""Width of the line of the leading head."""


@dataclass(frozen=True)
class ScorePanel(AnimatedPanel):
    """One score: its axes, the values (step, head of all layers; the leading head is the last), what moves, and the text of its value."""

    axes: Axes
    clock: FilmClock
    values: NDArray[np.float64]
    dots: PathCollection
    value: Text
    rule: Line2D

    def show(self, step: int) -> list[Artist]:
        at = int(np.searchsorted(self.clock.steps, step))
        self.value.set_text(digits(f"{self.values[at, -1]:z.2f}"))
        return [self.value]

    def move(self, time: float) -> list[Artist]:
        step, values = self.clock.step_of(time), interpolate(self.values, time)
        self.dots.set_offsets(np.column_stack([np.full(len(values), step), values]))
        self.rule.set_xdata([step, step])
        return [self.rule, self.dots]


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
        self._panels: list[ScorePanel] = []
        for name, box in zip(names, boxes, strict=True):
            self._add_panel(scores[name], box)
        self._add_layer_key(scores["layer"].values.tolist())
        self._reached = np.empty(0, dtype=np.uint8)

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Draw the frame at each time, counted in snapshots; each is a view of (height, width, 4), valid until the next one."""
        canvas = self.film_frame.canvas
        canvas.save_film_background()
        # All lines to their ends, of which frames show the part left of the cursor.
        self._reached = canvas.frame(self._lines).copy()
        return self.film_frame.frames(times, lambda _: [], self._paint)

    def _paint(self, time: float, frame: Frame) -> None:
        height = self.film_frame.canvas.size.height
        slack = round(4 * self.film_frame.unit)
        for panel in self._panels:
            box = panel.axes.bbox
            step = self.film_frame.clock.step_of(time)
            cursor = round(float(panel.axes.transData.transform((step, 0))[0]))
            rows = slice(max(height - round(box.y1) - slack, 0), height - round(box.y0) + slack)
            columns = slice(round(box.x0) - slack, cursor)
            frame[rows, columns] = self._reached[rows, columns]

    def _add_panel(self, score: xr.DataArray, box: Box) -> None:
        film_frame, theme, unit = self.film_frame, self.film_frame.canvas.theme, self.film_frame.unit
        score = score.transpose("step", "layer", "head")
        layer, head = leading_head(score)
        values = score.values.astype(float).reshape(score.sizes["step"], -1)
        colors = [color for color in self._colors for _ in range(score.sizes["head"])]
        lead = layer * score.sizes["head"] + head
        order = [*(i for i in range(len(colors)) if i != lead), lead]
        values, colors = values[:, order], [colors[i] for i in order]
        axes = film_frame.canvas.axes(box)
        self._draw_lines(axes, values, colors)
        uniform = float(score.attrs.get("uniform", np.nan))
        if np.isfinite(uniform):
            axes.axhline(uniform, color=theme.muted, linewidth=1.6 * unit, dashes=(4, 3), zorder=1)
        axes.set_ylim(0, self._top(str(score.name), float(np.nanmax([values.max(), uniform]))))
        format_step_axes(axes, film_frame.clock, theme, unit, label_px=0.9 * TEXT_PX)
        place = {"layer": int(score["layer"].values[layer]), "head": int(score["head"].values[head])}
        value = self._write_title(box, str(score.name), place, colors[-1])
        sizes = [((9 if self._few(colors) else 5) * unit) ** 2] * (len(colors) - 1) + [(15 * unit) ** 2]
        style: dict[str, Any] = {"animated": True, "clip_on": False, "zorder": 5, "linewidths": 0}
        dots = axes.scatter(np.zeros(len(colors)), values[0], s=sizes, c=colors, **style)
        rule = axes.axvline(0, color=theme.text, linewidth=1.5 * unit, alpha=0.35, animated=True)
        self._panels.append(ScorePanel(axes, film_frame.clock, values, dots, value, rule))
        film_frame.add(self._panels[-1])

    def _draw_lines(self, axes: Axes, values: NDArray[np.float64], colors: Sequence[str]) -> None:
        """Draw a thin line for each head, faint where training has not been, and over them that of the leading head, the last."""
        unit, thin = self.film_frame.unit, 2.0 if self._few(colors) else 1.0
        for i, color in enumerate(colors):
            is_leading = i == len(colors) - 1
            width, opacity = (LEADING_PX, 1.0) if is_leading else (thin, 0.75)
            style: dict[str, Any] = {"color": color, "linewidth": width * unit, "clip_on": False}
            axes.plot(self.film_frame.clock.steps, values[:, i], alpha=FUTURE_OPACITY, **style)
            self._lines += axes.plot(self.film_frame.clock.steps, values[:, i], alpha=opacity, animated=True, **style)

    def _few(self, colors: Sequence[str]) -> bool:
        return len(colors) <= 36

    def _top(self, name: str, highest: float) -> float:
        return self._top_share if name in ATTENTION else 1.0 if name == "entropy" else 1.08 * max(highest, 1e-3)

    def _write_title(self, box: Box, name: str, place: Mapping[str, int], color: str) -> Text:
        """Write the name of a score and that of its leading head; return the text for the leading head's value."""
        canvas, size = self.film_frame.canvas, TEXT_PX * self.film_frame.unit
        line = 30 * self.film_frame.unit
        y = box.top + 0.4 * line
        canvas.text(box.left, y + line, score_title(name), size=1.05 * size, bold=True)
        canvas.text(box.left, y, "●", size=1.1 * size, color=color)
        room = box.width - 1.2 * size - text_width("0.00", 1.05 * size, bold=True) - 0.5 * size
        leading = say("layer {layer} head {head}", **place)
        if text_width(leading, 0.95 * size) > room:
            leading = say("L{layer} H{head}", **place)
        canvas.text(box.left + 1.2 * size, y, leading, size=0.95 * size, color=canvas.theme.muted)
        return canvas.text(box.right, y, "", size=1.05 * size, bold=True, ha="right", animated=True)

    def _add_layer_key(self, layers: Sequence[int]) -> None:
        """Name the colours of the layers and the lines in the row above the panel: of many layers, the first and the last."""
        canvas, size, box = self.film_frame.canvas, TEXT_PX * self.film_frame.unit, self.film_frame.layout.legend
        lines = (((1, 0), LEADING_PX, say("leading head")), ((4, 3), 1.6, say("even attention")))
        names = [say("layer {layer}", layer=layer) for layer in layers]
        room = sum(text_width(name, size) + 2.7 * size for name in (*names, *(name for _, _, name in lines)))
        if len(layers) > 6 or room > box.width:
            names = [names[0], *[""] * (len(layers) - 2), str(layers[-1])][: len(layers)]
        x, y = box.left, box.top
        for name, color in zip(names, self._colors, strict=True):
            canvas.text(x, y, "●", color=color, size=1.35 * size, va="center_baseline")
            canvas.text(x + 1.4 * size, y, name, size=size, va="center_baseline")
            x += 1.4 * size + (text_width(name, size, ink=True) + 1.3 * size if name else 0)
        for dashes, width, name in lines:
            ends, color = [x, x + 1.6 * size], canvas.theme.text if dashes == (1, 0) else canvas.theme.muted
            canvas.line(ends, [y, y], color, linewidth=width * self.film_frame.unit, dashes=dashes)
            canvas.text(x + 2.1 * size, y, name, size=size, va="center_baseline")
            x += 2.1 * size + text_width(name, size, ink=True) + 1.3 * size


def _boxes(panel: Box, n: int, unit: float) -> list[Box]:
    """Divide the panel among ``n`` charts, three in a row, two in an upright panel, with room for their titles and ticks."""
    n_columns = min(3 if panel.width > panel.height else 2, n)
    cells = panel.grid(-(-n // n_columns), n_columns, (0, 0))[:n]
    return [cell.inset(left=70 * unit, bottom=52 * unit, right=44 * unit, top=92 * unit) for cell in cells]


def make_head_score_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the scores of all heads."""
    from probes.models.heads import head_scores

    layers = parse_layers(request.layers)
    scores = head_scores(run, layers=layers, seed=request.seed, text=request.text, progress=progress)
    shape = say("{layers} layers of {heads} heads", layers=scores.sizes["layer"], heads=scores.sizes["head"])
    look = request.look
    caption = Caption(
        say("What each attention head does"),
        f"{run.name}: {shape}" + (f". {explain('induction', 'sink', 'entropy')}" if look["size"].is_wide else ""),
        say(
            "Measured on validation text and on random sequences with a repeat. The leading head is the one that leads at the end (in "
            "entropy: the lowest). Numbers are those of the step above; between snapshots the dots are interpolated."
        ),
    )
    picture = HeadScoreFilm(scores, loss_curves(run), caption, **look)
    leading = []
    for name in ("previous_token", "induction"):
        layer, head = leading_head(scores[name])
        place = say("layer {layer} head {head}", layer=int(scores["layer"].values[layer]), head=head)
        found = {"name": say(scores[name].attrs["long_name"]), "place": place}
        leading.append(say("{name}: {place}, {value:z.2f}", value=float(scores[name][-1, layer, head]), **found))
    alt = say(
        "Scores of the attention heads of run {run} ({shape}) over training. Leading at the end: {leading}.",
        run=run.name,
        shape=shape,
        leading="; ".join(leading),
    )
    return Film(run, request, picture, scores, alt, caption.title)
