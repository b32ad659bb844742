"""The film of the next token's distribution from low to high temperature: bars in fixed places, at a fixed scale."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from data.language import digits, picture_language, say
from data.progress import Progress
from data.runs import Run
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve, FilmClock
from viz.drawing.film_frame import FilmFrame
from viz.drawing.layout import Box
from viz.drawing.text import Caption, label_name, others_name, quoted, shorten, text_width
from viz.drawing.theme import Theme, role_color
from viz.films.film import Film
from viz.films.timeline import interpolate
from viz.fonts import families
from viz.request import FilmRequest

TEXT_PX = 25
MOST_BARS = 13
ROW_PX = 60
LEAST_ROW_PX = 38


class TemperatureClock(FilmClock):
    """A clock with temperatures in place of steps, in hundredths; its numbers are interpolated as the bars are."""

    continuous: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return say("temperature")

    def write(self, step: float) -> str:
        """Format a temperature, ``0.70``."""
        return digits(f"{step / 100:z.2f}")

    def label(self, step: int) -> str:
        """Name a temperature."""
        return say("temperature {value}", value=self.write(step))


class TemperatureFilm:
    """A film of ``probability`` (temperature, token) and ``entropy`` (temperature), in nats; its time counts temperatures."""

    def __init__(self, distributions: xr.Dataset, caption: Caption, size: Size, theme: Theme):
        hundredths = np.rint(100 * distributions["temperature"].values).astype(np.int64)
        curves = _curves(hundredths, distributions)
        self.film_frame = FilmFrame(hundredths, curves, caption, size, theme, clock=TemperatureClock(hundredths))
        unit, panel = size.unit, self.film_frame.layout.panel
        self.film_frame.canvas.panel(panel, 14 * unit)
        n_rows = int(min(MOST_BARS + 1, panel.height / unit // LEAST_ROW_PX))
        self.names, self.values = leading_rows(distributions, n_rows)
        self._axes = self._add_axes(panel)
        self._bars, self._values = self._add_bars()

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Draw the frame at each time, counted in temperatures; each is a view of (height, width, 4), valid until the next one."""
        return self.film_frame.frames(times, self._moving)

    def _moving(self, time: float) -> list[Artist]:
        values = interpolate(self.values, time)
        pad = 12 * self.film_frame.unit * float(self.values.max()) / self._axes.bbox.width
        for bar, text, value in zip(self._bars, self._values, values, strict=True):
            bar.set_width(value)
            text.set_x(value + pad)
            text.set_text(digits(f"{value:z.2f}") if value >= 0.005 else "")
        return [*self._bars, *self._values]

    def _add_axes(self, panel: Box) -> Axes:
        """Add axes for the bars, with room for the names at the left and for the number of the longest at the right."""
        unit, size = self.film_frame.unit, TEXT_PX * self.film_frame.unit
        left = max(text_width(name, size) for name in self.names) + 44 * unit
        right, above = text_width("0.00", size, bold=True) + 34 * unit, 26 * unit
        height = min(panel.height - 2 * above, ROW_PX * unit * len(self.names))
        bottom = panel.height - above - height
        axes = self.film_frame.canvas.axes(panel, left=left, bottom=bottom, right=right, top=above)
        axes.set_axis_off()
        axes.set_xlim(0, float(self.values.max()))
        axes.set_ylim(len(self.names) - 0.5, -0.5)
        return axes

    def _add_bars(self) -> tuple[list[Rectangle], list[Any]]:
        theme, unit, axes = self.film_frame.canvas.theme, self.film_frame.unit, self._axes
        bars, values = [], []
        for row, name in enumerate(self.names):
            is_others = row == len(self.names) - 1 and stands_for_others(name)
            color = theme.disc if is_others else role_color(theme, "probability")
            bar = Rectangle((0, row - 0.36), 0, 0.72, color=color, linewidth=0, animated=True)
            axes.add_patch(bar)
            bars.append(bar)
            style: dict[str, Any] = {"fontsize": TEXT_PX * unit, "va": "center_baseline", "parse_math": False}
            color, place = theme.muted if is_others else theme.text, (-14 * unit, 0)
            lettered = style | {"family": families(name), "color": color, "ha": "right"}
            axes.annotate(name, (0, row), place, textcoords="offset points", **lettered)
            values.append(axes.text(0, row, "", color=theme.text, weight="bold", animated=True, **style))
        axes.axvline(0, color=theme.line, linewidth=1.5 * unit)
        return bars, values


def leading_rows(distributions: xr.Dataset, n_rows: int) -> tuple[list[str], NDArray[np.float64]]:
    """Choose the rows: names and probabilities (temperature, row) of the most probable tokens, all others summed in the last row.

    Examples
    --------
    >>> rows = xr.Dataset({"probability": (("temperature", "token"), [[0.7, 0.1, 0.2]])}, {"token": list("abc")})
    >>> leading_rows(rows, 2)
    (['a', '2 others'], array([[0.7, 0.3]]))
    """
    values = distributions["probability"].transpose("temperature", "token").values.astype(float)
    order = np.argsort(-values[-1], kind="stable")  # at every temperature above 0 the order is the same
    n_tokens = values.shape[1]
    n_top = n_tokens if n_tokens <= n_rows else n_rows - 1
    top, rest = order[:n_top], order[n_top:]
    names = [shorten(label_name(str(distributions["token"].values[i]), picture_language()), 200) for i in top]
    if not len(rest):
        return names, values[:, top]
    names.append(others_name(len(rest)))
    return names, np.column_stack([values[:, top], values[:, rest].sum(axis=1)])


def stands_for_others(name: str) -> bool:
    """Check whether a row from `leading_rows` is that of all other tokens."""
    return re.fullmatch(r"[\d.,]+ (others?|outros?)", name) is not None


def _curves(hundredths: NDArray[np.int64], distributions: xr.Dataset) -> list[Curve]:
    entropies = distributions["entropy"].values.astype(float)
    best = distributions["probability"].max("token").values.astype(float)
    return [
        Curve(
            say("entropy (nats)"),
            hundredths,
            entropies,
            limits=(0.0, 1.05 * max(float(entropies.max()), 1e-3)),
            role="entropy",
        ),
        Curve(say("probability of the likeliest"), hundredths, best, limits=(0.0, 1.02), role="probability"),
    ]


def make_temperature_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the distribution of the token after a prompt from low temperature to high, at one snapshot."""
    from probes.models.decoding import temperature_distributions

    found = temperature_distributions(run, request.prompt, step=request.step, progress=progress)
    prompt, step = quoted(found.attrs["prompt"], 560), int(found["step"])
    caption = Caption(
        say("What temperature does"),
        say("{run} {step}, after {prompt}", run=run.name, step=run.at_step(step), prompt=prompt),
        say(
            "Logits are divided by the temperature before they become probabilities. Between two temperatures that were "
            "computed, bars and numbers are interpolated."
        ),
    )
    picture = TemperatureFilm(found, caption, **request.look)
    low, high = (found.isel(temperature=i) for i in (0, -1))
    alt = say(
        "Probabilities of the next token after {prompt} in run {run} {step}, at temperatures from {low:g} to {high:g}. "
        "The likeliest token's share goes from {first:z.2f} to {last:z.2f}, the entropy from {entropy:z.2f} to {last_entropy:z.2f} nats.",
        prompt=prompt,
        run=run.name,
        step=run.at_step(step),
        low=float(low["temperature"]),
        high=float(high["temperature"]),
        first=float(low["probability"].max()),
        last=float(high["probability"].max()),
        entropy=float(low["entropy"]),
        last_entropy=float(high["entropy"]),
    )
    return Film(run, request, picture, found, alt, caption.title, keyframes="temperature")
