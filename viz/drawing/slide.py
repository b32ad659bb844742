"""What all stills share: a slide with title, subtitle and takeaway, boxes measured in points, and the colour scales.

A slide is made once, by `blank_slide`; what remains below its words is the `Slide.body`, a `Box` that figures divide into rows and
columns. All lengths are in points, 72 to the inch, so that type and distances keep their size in each of the three shapes of a slide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps as matplotlib_maps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from viz.drawing.labels import display
from viz.drawing.theme import THEMES, Theme

TITLE_PT = 30
LEAST_TITLE_PT = 24
TEXT_PT = 18
LINE_PT = 24
"""From one line of text to the next."""

SIZES = {"16:9": (40 / 3, 7.5), "4:3": (10.0, 7.5), "square": (7.5, 7.5)}
"""Width and height of a slide in inches, by shape."""
WIDE = SIZES["16:9"]
LIGHT = THEMES["light"]

N_COLORS = 1024
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue."""

SIDE_PT, TOP_PT, BOTTOM_PT = 34, 26, 26
"""Margins of a slide."""


@dataclass(frozen=True)
class Box:
    """A rectangle of a slide, in points from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def top(self) -> float:
        return self.bottom + self.height

    def inset(self, *, left: float = 0, bottom: float = 0, right: float = 0, top: float = 0) -> Box:
        """Return the box that is left when so much is taken away at the sides.

        Examples
        --------
        >>> Box(0, 0, 100, 50).inset(left=10, top=5)
        Box(left=10, bottom=0, width=90, height=45)
        """
        return Box(self.left + left, self.bottom + bottom, self.width - left - right, self.height - bottom - top)

    def columns(self, shares: Sequence[float], gap: float) -> list[Box]:
        """Divide the box into columns of these relative widths, from left to right."""
        room = (self.width - gap * (len(shares) - 1)) / sum(shares)
        starts = [room * sum(shares[:i]) + gap * i for i in range(len(shares))]
        return [
            Box(self.left + x, self.bottom, room * share, self.height) for x, share in zip(starts, shares, strict=True)
        ]

    def rows(self, shares: Sequence[float], gap: float) -> list[Box]:
        """Divide the box into rows of these relative heights, from the top down."""
        room = (self.height - gap * (len(shares) - 1)) / sum(shares)
        ends = [room * sum(shares[: i + 1]) + gap * i for i in range(len(shares))]
        return [Box(self.left, self.top - y, self.width, room * share) for y, share in zip(ends, shares, strict=True)]

    def grid(self, n_rows: int, n_columns: int, gap: tuple[float, float]) -> list[Box]:
        """Divide the box into equal cells, row by row; ``gap`` is that between columns and that between rows."""
        return [cell for row in self.rows([1] * n_rows, gap[1]) for cell in row.columns([1] * n_columns, gap[0])]


@dataclass(frozen=True)
class Slide:
    """A figure with its words on it, and the box that is left for the picture."""

    figure: Figure
    theme: Theme
    body: Box

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        width, height = self.figure.get_size_inches() * 72
        return float(width), float(height)

    def axes(self, box: Box) -> Axes:
        """Add axes that fill a box; their ground is transparent."""
        width, height = self.size
        axes = self.figure.add_axes((box.left / width, box.bottom / height, box.width / width, box.height / height))
        axes.set_facecolor("none")
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        color: str | None = None,
        size: float = TEXT_PT,
        bold: bool = False,
        ha: Literal["left", "center", "right"] = "left",
        va: Literal["baseline", "center", "center_baseline", "top", "bottom"] = "baseline",
        **more: Any,
    ) -> Text:
        """Write a text at a point; it is never read as mathematics, since tokens may be dollars."""
        width, height = self.size
        weight = "bold" if bold else "normal"
        color = color or self.theme.text
        return self.figure.text(
            x / width,
            y / height,
            text,
            color=color,
            fontsize=size,
            weight=weight,
            ha=ha,
            va=va,
            parse_math=False,
            **more,
        )

    def line(self, xs: Sequence[float], ys: Sequence[float], color: str, **style: Any) -> None:
        """Draw a line, or marks, outside all axes."""
        width, height = self.size
        places = np.array(xs) / width, np.array(ys) / height
        self.figure.add_artist(Line2D(*places, color=color, transform=self.figure.transFigure, **style))

    def dot(self, x: float, y: float, color: str, size: float = 11) -> None:
        """Draw a disc, the mark that ties a name to the line of the same colour."""
        self.line([x], [y], color, marker="o", markersize=size, linestyle="none", markeredgewidth=0)


def blank_slide(
    title: str, subtitle: str, theme: Theme = LIGHT, inches: tuple[float, float] = WIDE, takeaway: str = ""
) -> Slide:
    """Make a slide with its words on it.

    Parameters
    ----------
    title : one line where it fits at 24 points or more, else wrapped.
    subtitle : below it, muted, wrapped.
    inches : width and height.
    takeaway : what to see in the picture, in a sentence; stands at the foot.
    """
    figure = Figure(figsize=inches, dpi=72, facecolor=theme.background)
    page = Box(0, 0, inches[0] * 72, inches[1] * 72)
    body = page.inset(left=SIDE_PT, bottom=BOTTOM_PT, right=SIDE_PT, top=TOP_PT)
    slide = Slide(figure, theme, body)
    size, lines = _fit_title(title, body.width)
    y = body.top - 0.78 * size
    for line in lines:
        slide.text(body.left, y, line, size=size, bold=True)
        y -= 1.2 * size
    y += 1.2 * size - 30
    for line in wrap(subtitle, body.width):
        slide.text(body.left, y, line, color=theme.muted)
        y -= LINE_PT
    foot = wrap(takeaway, body.width, bold=True)
    for i, line in enumerate(reversed(foot)):
        slide.text(body.left, body.bottom + 4 + i * LINE_PT, line, bold=True)
    room = len(foot) * LINE_PT + (14 if foot else 0)
    return Slide(figure, theme, body.inset(top=body.top - y + 2, bottom=room))


def _fit_title(title: str, width: float) -> tuple[int, list[str]]:
    for size in range(TITLE_PT, LEAST_TITLE_PT - 1, -1):
        if len(wrap(title, width, size, bold=True)) <= 1:
            return size, [title]
    return LEAST_TITLE_PT, wrap(title, width, LEAST_TITLE_PT, bold=True)


@lru_cache(maxsize=4096)
def text_points(text: str, size: float = TEXT_PT, *, bold: bool = False) -> float:
    """Return how wide a text is set, in points."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def wrap(text: str, width: float, size: float = TEXT_PT, *, bold: bool = False) -> list[str]:
    """Break a text into as few lines as fit a width, of about the same length, so that no word is left alone on the last.

    Examples
    --------
    >>> wrap("one two three four", 1000)
    ['one two three four']
    >>> wrap("one two three four", 110)
    ['one two', 'three four']
    """
    lines = _wrap_greedily(text, width, size, bold)
    for narrower in np.arange(0.98, 0.3, -0.02) * width:
        even = _wrap_greedily(text, float(narrower), size, bold)
        if len(even) > len(lines) or any(text_points(line, size, bold=bold) > narrower for line in even):
            break
        lines = even
    return lines


def _wrap_greedily(text: str, width: float, size: float, bold: bool) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_points(longer, size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shorten(text: str, width: float, *, keep: Literal["start", "end"] = "start") -> str:
    """Return a text that fits a width, with an ellipsis for what is left out at the other end."""
    kept = text
    while kept and text_points(_elided(kept, text, keep)) > width:
        kept = kept[:-1] if keep == "start" else kept[1:]
    return _elided(kept, text, keep)


def quoted(prompt: str, width: float) -> str:
    """Return a prompt in quotation marks, white space made visible where it is not a space, shortened to a width in points."""
    shown = "".join(c if c == " " else display(c) for c in prompt)
    return f"“{shorten(shown, width - 20)}”"


def _elided(kept: str, text: str, keep: str) -> str:
    return text if kept == text else f"{kept}…" if keep == "start" else f"…{kept}"


def evenly(n: int, most: int) -> list[int]:
    """Return at most ``most`` of ``n`` indices, at even distances, the first and the last among them; the last alone if one.

    Examples
    --------
    >>> evenly(58, 3), evenly(2, 5), evenly(9, 1)
    ([0, 28, 57], [0, 1], [8])
    """
    if most == 1:
        return [n - 1]
    return sorted({int(i) for i in np.linspace(0, n - 1, min(n, most))})


def step_colors(n: int, theme: Theme) -> list[str]:
    """Return a colour for each of ``n`` snapshots: early ones near the ground, the last one stands out most."""
    return _scale("mako", (0.86, 0.12) if theme.name == "light" else (0.34, 0.97), n)


def layer_colors(n: int, theme: Theme) -> list[str]:
    """Return a colour for each of ``n`` layers, of a perceptual scale that differs from that of the steps."""
    return _scale("viridis", (0.0, 0.84) if theme.name == "light" else (0.28, 1.0), n)


def heat_map(theme: Theme) -> Colormap:
    """Return the map of quantities that begin at 0, which lies near the ground."""
    return colormap("mako_r" if theme.name == "light" else "mako")


def weight_map(theme: Theme, ground: str | None = None) -> ListedColormap:
    """Return the map of attention weights: as `heat_map`, but what is nothing has the colour of the ground."""
    colors = heat_map(theme)(np.linspace(0, 1, 4 * N_COLORS))[:, :3]
    first = np.array(to_rgb(ground or theme.background))
    beyond = (colors - first) @ LUMINANCE * (
        -1 if theme.name == "light" else 1
    ) > 0  # away from the ground, not past it and back
    colors = colors[np.argmax(beyond) :]
    colors = colors[np.linspace(0, len(colors) - 1, N_COLORS).astype(int)]
    share = np.clip(np.linspace(0, 16, N_COLORS), 0, 1)[:, None]  # out of the ground within the first sixteenth
    return ListedColormap((1 - share) * first + share * colors)


def diverging_map(theme: Theme) -> Colormap:
    """Return the map of quantities about 0, which lies near the ground."""
    return colormap("vlag" if theme.name == "light" else "icefire")


def colormap(name: str) -> Colormap:
    """Return a map by name, seaborn's ``mako``, ``vlag`` and ``icefire`` among them; it registers them when it is first needed."""
    if name not in matplotlib_maps:
        import seaborn  # noqa: F401
    return matplotlib_maps[name]


def _scale(name: str, ends: tuple[float, float], n: int) -> list[str]:
    places = np.linspace(*ends, n) if n > 1 else [ends[0] * 0.35 + ends[1] * 0.65]
    return [to_hex(colormap(name)(float(place))) for place in places]


def color_bar(slide: Slide, box: Box, scale: tuple[Colormap, Normalize], ticks: Sequence[float], form: str) -> None:
    """Draw the key of a heat map as a narrow upright bar at the left of ``box``, its values beside it."""
    colormap, norm = scale
    bar = slide.figure.colorbar(
        ScalarMappable(norm, colormap), cax=slide.axes(Box(box.left, box.bottom, 12, box.height))
    )
    bar.outline.set_visible(False)
    bar.set_ticks(list(ticks), labels=[form.format(tick).replace("-", "−") if tick else "0" for tick in ticks])
    bar.ax.tick_params(colors=slide.theme.muted, labelsize=TEXT_PT, length=0, pad=7)
    labels = bar.ax.get_yticklabels()
    labels[0].set_verticalalignment("bottom")
    labels[-1].set_verticalalignment("top")


def scale_key(slide: Slide, x: float, y: float, names: Sequence[str], colors: Sequence[str]) -> float:
    """Draw the key of a scale of colours in one line, ``layer 1 ▮▮▮▮ 4``; return where it ends.

    ``names`` are those of the first and the last colour; ``y`` is the baseline.
    """
    slide.text(x, y, names[0])
    x += text_points(names[0]) + 9
    cell = max(min(72 / len(colors), 16.0), 0.5)
    for i, color in enumerate(colors):
        slide.line([x + i * cell, x + (i + 1) * cell], [y + 6.5] * 2, color, linewidth=12, solid_capstyle="butt")
    x += cell * len(colors) + 9
    if len(colors) > 1:
        slide.text(x, y, names[1])
        x += text_points(names[1])
    return x
