"""The colours of films, figures and pages: two themes, colours of groups that are safe for colour-blind eyes, and colour maps.

matplotlib is imported where a colour is computed; a page that only looks colours up stands sooner without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from data.errors import InputError

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, ListedColormap

# Okabe & Ito (2008), "Color Universal Design", ordered so that neighbours differ most; their black is the text's. Their reddish purple is
# deepened: deuteranopic eyes took it for the grey of other items. Their orange is left out, which next to vermilion was a second orange;
# in its place are gold, which is their yellow deepened for a white ground, and maroon.
OKABE_ITO = ("#D55E00", "#0072B2", "#009E73", "#B655AD", "#DCC000", "#4FC3F0", "#7A1F2E")
# The same hues, lightened for a dark ground, as far as they stay apart for deuteranopic eyes too.
OKABE_ITO_ON_DARK = ("#EB7527", "#4AA8E8", "#2CC295", "#EBB6D5", "#F0E442", "#A5DCFA", "#B07A55")

Role = Literal["validation", "training", "trust", "probability", "entropy", "accuracy", "accuracy_by_gain", "rank"]
"""What a line or a bar stands for."""
ROLES: dict[Role, int | None] = {
    "validation": 1,
    "training": None,
    "trust": 2,
    "probability": 1,
    "entropy": 3,
    "accuracy": 0,
    "accuracy_by_gain": 1,
    "rank": 2,
}
"""The place of each role's colour in the palette; None is the colour of captions."""
RUNS = (1, 0, 2, 3, 4, 5, 6)
"""Places of the colours of runs: the loss of the first run is blue, as where it is alone."""
FURTHER = {
    "light": (("#14202B", 0.5), ("#FFFFFF", 0.5)),
    "dark": (("#0E1319", 0.65), ("#0E1319", 0.42)),
}
"""With what, and how far, colours are blended for more groups than there are in the palette, and for more than twice as many."""

N_COLORS = 1024
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue."""


@dataclass(frozen=True)
class Theme:
    """The colours of a picture."""

    name: str
    background: str
    panel: str
    """Ground of the area that holds the points."""
    text: str
    muted: str
    """Captions, axes, units."""
    line: str
    """Thin lines, and the path through the positions."""
    disc: str
    """Points that are not highlighted."""
    palette: tuple[str, ...]


THEMES = {
    "light": Theme("light", "#FFFFFF", "#F6F7F9", "#14202B", "#5B6875", "#C3CBD4", "#D9E0E7", OKABE_ITO),
    "dark": Theme("dark", "#0E1319", "#151C24", "#F2F5F8", "#9AA8B5", "#3B4856", "#2B3744", OKABE_ITO_ON_DARK),
}


def theme(name: str) -> Theme:
    """Look up a theme by name; an `InputError` lists the names."""
    if name not in THEMES:
        raise InputError(f"there is no theme {name!r}; there is {', '.join(THEMES)}")
    return THEMES[name]


def group_color(theme: Theme, index: int) -> str:
    """Look up the colour of a group by its number; after those of the palette come the same hues deeper, paler, and ever deeper.

    Examples
    --------
    >>> group_color(THEMES["light"], 0), group_color(THEMES["light"], 7)
    ('#D55E00', '#753f16')
    """
    from matplotlib.colors import to_hex

    row, place = divmod(index, len(theme.palette))
    color, further = theme.palette[place], FURTHER[theme.name]
    if not row:
        return color
    ground, share = further[row - 1] if row <= len(further) else (further[0][0], further[0][1] ** row)
    return to_hex(over(color, ground, share))


def role_color(theme: Theme, role: Role) -> str:
    """Look up the colour of what a line or a bar stands for, the same in films, figures and pages."""
    place = ROLES[role]
    return theme.muted if place is None else theme.palette[place]


def run_color(theme: Theme, index: int) -> str:
    """Look up the colour of a run by its number among those that are compared."""
    row, place = divmod(index, len(RUNS))
    return group_color(theme, row * len(RUNS) + RUNS[place])


def luminance(color: str | tuple[float, float, float]) -> float:
    """Compute the relative luminance of a colour, 0 to 1 (WCAG 2.2)."""
    from matplotlib.colors import to_rgb

    return sum(float(weight) * _linear(channel) for weight, channel in zip(LUMINANCE, to_rgb(color), strict=True))


def contrast(color: str | tuple[float, float, float], ground: str | tuple[float, float, float]) -> float:
    """Compute the contrast of two colours, 1 to 21 (WCAG 2.2); text should have 4.5.

    Examples
    --------
    >>> contrast("#FFFFFF", "#000000")
    21.0
    """
    low, high = sorted([luminance(color), luminance(ground)])
    return (high + 0.05) / (low + 0.05)


def text_on(color: str) -> str:
    """Choose white for text on ``color`` if it can be read (a contrast of 4.5), else black, which then can."""
    return "#FFFFFF" if contrast("#FFFFFF", color) >= 4.5 else "#000000"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def over(color: str, ground: str, opacity: float) -> tuple[float, float, float]:
    """Blend a colour over an opaque ground: red, green and blue from 0 to 1."""
    from matplotlib.colors import to_rgb

    red, green, blue = opacity * np.array(to_rgb(color)) + (1.0 - opacity) * np.array(to_rgb(ground))
    return float(red), float(green), float(blue)


def step_colors(n: int, theme: Theme) -> list[str]:
    """Choose a colour for each of ``n`` snapshots, from near the background to the strongest contrast."""
    return _scale("mako", (0.86, 0.12) if theme.name == "light" else (0.34, 0.97), n)


def layer_colors(n: int, theme: Theme) -> list[str]:
    """Choose a colour for each of ``n`` layers, from a perceptual scale other than that of the steps."""
    return _scale("viridis", (0.0, 0.84) if theme.name == "light" else (0.28, 1.0), n)


def heat_map(theme: Theme) -> Colormap:
    """Choose the colour map of quantities from 0 up, with 0 near the background."""
    return colormap("mako_r" if theme.name == "light" else "mako")


def weight_map(theme: Theme, ground: str | None = None) -> ListedColormap:
    """Make the colour map of attention weights: that of `heat_map`, with 0 in the colour of the ground (the background by default)."""
    from matplotlib.colors import ListedColormap, to_rgb

    colors = heat_map(theme)(np.linspace(0, 1, 4 * N_COLORS))[:, :3]
    first = np.array(to_rgb(ground or theme.background))
    away = -1 if theme.name == "light" else 1
    beyond = (colors - first) @ LUMINANCE * away > 0  # the map must not pass the ground's luminance and come back
    colors = colors[np.argmax(beyond) :]
    colors = colors[np.linspace(0, len(colors) - 1, N_COLORS).astype(int)]
    share = np.clip(np.linspace(0, 16, N_COLORS), 0, 1)[:, None]  # blend from the ground within the first sixteenth
    return ListedColormap((1 - share) * first + share * colors)


def diverging_map(theme: Theme) -> Colormap:
    """Choose the colour map of quantities on both sides of 0, with 0 near the background."""
    return colormap("vlag" if theme.name == "light" else "icefire")


def colormap(name: str) -> Colormap:
    """Look up a colour map by name, one of matplotlib or seaborn (``mako``, ``vlag``, ``icefire``), which is imported when needed."""
    from matplotlib import colormaps

    if name not in colormaps:
        import seaborn  # noqa: F401
    return colormaps[name]


def _scale(name: str, ends: tuple[float, float], n: int) -> list[str]:
    from matplotlib.colors import to_hex

    places = np.linspace(*ends, n) if n > 1 else [ends[0] * 0.35 + ends[1] * 0.65]
    return [to_hex(colormap(name)(float(place))) for place in places]
