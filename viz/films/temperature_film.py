"""The film of the next token's distribution from low temperature to high: bars that keep their places and their scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from data.progress import Progress
from data.runs import Run
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve, FilmClock
from viz.drawing.film_frame import FilmFrame
from viz.drawing.labels import label_name
from viz.drawing.legend import Caption, Rect, add_ground
from viz.drawing.slide import quoted, shorten, text_points
from viz.drawing.theme import Theme
from viz.films.film import Film
from viz.films.timeline import between
from viz.request import FilmRequest

TEXT_PX = 25
MOST_BARS = 13
ROW_PX = 60
LEAST_ROW_PX = 38


class TemperatureClock(FilmClock):
    """A clock whose steps are hundredths of a temperature."""

    name = "temperature"

    def write(self, step: int) -> str:
        """Return a temperature as it is shown, ``0.7``."""
        return f"{step / 100:.1f}" if step % 10 == 0 else f"{step / 100:.2f}"


class TemperatureFilm:
    """The picture of a distribution at any time of the film; time counts temperatures.

    Parameters
    ----------
    distributions : ``probability`` (temperature, token) and ``entropy`` (temperature), in nats.
    """

    def __init__(self, distributions: xr.Dataset, caption: Caption, size: Size, theme: Theme):
        hundredths = np.rint(100 * distributions["temperature"].values).astype(np.int64)
        curves = _curves(hundredths, distributions)
        self.stage = FilmFrame(hundredths, curves, caption, size, theme, clock=TemperatureClock(hundredths))
        unit, panel = size.unit, self.stage.arrangement.panel
        add_ground(self.stage.canvas.figure, panel, theme, 14 * unit)
        n_rows = int(min(MOST_BARS + 1, panel[3] * size.height / unit // LEAST_ROW_PX))
        self.names, self.values = leading_rows(distributions, n_rows)
        self._axes = self._add_axes(panel)
        self._bars, self._told = self._add_bars()

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Yield the frame at each time (counted in temperatures), a view of (height, width, 4) valid until the next one."""
        return self.stage.frames(times, self._moving)

    def _moving(self, time: float) -> list[Artist]:
        values = between(self.values, time)
        pad = 12 * self.stage.unit * float(self.values.max()) / self._axes.bbox.width
        for bar, told, value in zip(self._bars, self._told, values, strict=True):
            bar.set_width(value)
            told.set_x(value + pad)
            told.set_text(f"{value:.2f}" if value >= 0.005 else "")
        return [*self._bars, *self._told]

    def _add_axes(self, panel: Rect) -> Axes:
        """Add axes for bars with room for the names at their left and for the number of the longest at their right."""
        size, unit = self.stage.canvas.size, self.stage.unit
        width, height = panel[2] * size.width, panel[3] * size.height
        names = max(text_points(name, TEXT_PX * unit) for name in self.names)
        left, right, above = names + 44 * unit, text_points("0.00", TEXT_PX * unit, bold=True) + 34 * unit, 26 * unit
        tall = min(height - 2 * above, ROW_PX * unit * len(self.names))
        at = (
            panel[0] + left / size.width,
            panel[1] + (height - above - tall) / size.height,
            (width - left - right) / size.width,
            tall / size.height,
        )
        axes = self.stage.canvas.figure.add_axes(at)
        axes.set_axis_off()
        axes.set_xlim(0, float(self.values.max()))
        axes.set_ylim(len(self.names) - 0.5, -0.5)
        return axes

    def _add_bars(self) -> tuple[list[Rectangle], list[Any]]:
        theme, unit, axes = self.stage.canvas.theme, self.stage.unit, self._axes
        bars, told = [], []
        for row, name in enumerate(self.names):
            is_rest = row == len(self.names) - 1 and self.has_rest
            color = theme.disc if is_rest else theme.palette[1]
            bar = Rectangle((0, row - 0.36), 0, 0.72, color=color, linewidth=0, animated=True)
            axes.add_patch(bar)
            bars.append(bar)
            style: dict[str, Any] = {"fontsize": TEXT_PX * unit, "va": "center_baseline", "parse_math": False}
            axes.annotate(
                name,
                (0, row),
                (-14 * unit, 0),
                textcoords="offset points",
                color=theme.muted if is_rest else theme.text,
                ha="right",
                **style,
            )
            told.append(axes.text(0, row, "", color=theme.text, weight="bold", animated=True, **style))
        axes.axvline(0, color=theme.line, linewidth=1.5 * unit)
        return bars, told

    @property
    def has_rest(self) -> bool:
        """Whether the last row gathers all other tokens."""
        return self.names[-1].endswith(("other", "others"))


def leading_rows(distributions: xr.Dataset, n_rows: int) -> tuple[list[str], NDArray[np.float64]]:
    """Return the names of the likeliest tokens and their probabilities (temperature, row), all others summed in the last row.

    Examples
    --------
    >>> rows = xr.Dataset({"probability": (("temperature", "token"), [[0.7, 0.1, 0.2]])}, {"token": list("abc")})
    >>> leading_rows(rows, 2)
    (['a', '2 others'], array([[0.7, 0.3]]))
    """
    values = distributions["probability"].transpose("temperature", "token").values.astype(float)
    order = np.argsort(-values[-1], kind="stable")  # at every temperature above 0 the order is the same
    n_tokens = values.shape[1]
    n_likely = n_tokens if n_tokens <= n_rows else n_rows - 1
    likely, rest = order[:n_likely], order[n_likely:]
    names = [shorten(label_name(str(distributions["token"].values[i])), 200) for i in likely]
    if not len(rest):
        return names, values[:, likely]
    names.append(f"{len(rest):,} other" + ("s" if len(rest) > 1 else ""))
    return names, np.column_stack([values[:, likely], values[:, rest].sum(axis=1)])


def _curves(hundredths: NDArray[np.int64], distributions: xr.Dataset) -> list[Curve]:
    entropies = distributions["entropy"].values.astype(float)
    best = distributions["probability"].max("token").values.astype(float)
    return [
        Curve("entropy (nats)", hundredths, entropies, limits=(0.0, 1.05 * max(float(entropies.max()), 1e-3))),
        Curve("probability of the likeliest", hundredths, best, limits=(0.0, 1.02)),
    ]


def make_temperature_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the distribution of the token after a prompt from low temperature to high, at one snapshot."""
    from probes.models.decoding import temperature_distributions

    found = temperature_distributions(run, request.prompt, step=request.step, progress=progress)
    prompt, step = quoted(found.attrs["prompt"], 560), int(found["step"])
    caption = Caption(
        "What temperature does",
        f"{run.name} at step {step:,}, after {prompt}",
        "Logits are divided by the temperature before they become probabilities. Tenths are shown exactly; between them the numbers "
        "are interpolated.",
    )
    picture = TemperatureFilm(found, caption, **request.look)
    low, high = (found.isel(temperature=i) for i in (0, -1))
    alt = (
        f"Probabilities of the next token after {prompt} in run {run.name} at step {step:,}, at temperatures from "
        f"{float(low['temperature']):g} to {float(high['temperature']):g}. The likeliest token's share goes from "
        f"{float(low['probability'].max()):.2f} to {float(high['probability'].max()):.2f}, the entropy from {float(low['entropy']):.2f} to "
        f"{float(high['entropy']):.2f} nats."
    )
    return Film(run, request, picture, found, alt, keyframes="temperature")
