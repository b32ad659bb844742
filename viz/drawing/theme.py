"""One look for films, figures and pages: two themes, colours that colour-blind eyes can tell apart, sizes that follow the picture."""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import InputError

# Okabe & Ito (2008), "Color Universal Design", in an order in which neighbours differ most. Their black is left to the text, and their
# yellow stands last since it is weak on white.
OKABE_ITO = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
# The same hues, lifted where they would sink into a dark ground.
OKABE_ITO_ON_DARK = ("#FF7F2A", "#4AA8E8", "#2CC295", "#E39AC4", "#F0B03A", "#8CCBF2", "#F0E442")


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
    disc_text: str
    palette: tuple[str, ...]


THEMES = {
    "light": Theme("light", "#FFFFFF", "#F6F7F9", "#14202B", "#5B6875", "#C3CBD4", "#D9E0E7", "#33414E", OKABE_ITO),
    "dark": Theme(
        "dark", "#0E1319", "#151C24", "#F2F5F8", "#9AA8B5", "#3B4856", "#2B3744", "#C9D3DC", OKABE_ITO_ON_DARK
    ),
}


def theme(name: str) -> Theme:
    """Return a theme by name; an `InputError` names those there are."""
    if name not in THEMES:
        raise InputError(f"there is no theme {name!r}; there is {', '.join(THEMES)}")
    return THEMES[name]


def group_color(theme: Theme, index: int) -> str:
    """Return the colour of the group with this number; colours come round again after the last."""
    return theme.palette[index % len(theme.palette)]


def text_on(color: str) -> str:
    """Return white where it can be read on ``color`` (WCAG 2 contrast of 3, enough for large text), else near-black."""
    red, green, blue = (_linear(int(color[i : i + 2], 16) / 255) for i in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#FFFFFF" if 1.05 / (luminance + 0.05) >= 3 else "#10161C"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
