"""Text in pictures: how tokens are written, how wide a text is set, and how it is wrapped and shortened."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from data.language import digits, say
from data.language.displayed_names import names
from probes.groups.label_index import NAMED_SYMBOLS
from probes.groups.symbols import cut, display, units
from viz.fonts import drawable, families, label

if TYPE_CHECKING:
    from matplotlib.path import Path

TEXT_PT = 18
"""Size of text on slides."""

_NAMED = {NAMED_SYMBOLS[key]: key for key in ("space", "newline", "tab", "return", "nbsp", "end")}


@dataclass(frozen=True)
class Caption:
    """The title, the subtitle and the small print of a picture."""

    title: str
    subtitle: str
    footnote: str
    takeaway: str = ""
    """A sentence at the foot of a slide."""


def level_text(value: float) -> str:
    """Write a level to compare with, of chance or of even attention: two decimals, or as many as its first digit needs.

    Examples
    --------
    >>> level_text(0.32), level_text(0.0021), level_text(0.0)
    ('0.32', '0.002', '0.00')
    """
    decimals = 2 if value == 0 else max(2, int(np.ceil(-np.log10(abs(value)))))
    return digits(f"{value:z.{decimals}f}")


def label_name(token: str, language: str = "en") -> str:
    """Name a token in running text (``'space'`` for a space): in legends, alt texts and messages.

    A token that is itself such a name stands in quotes.
    """
    if token in _NAMED:
        return names()["symbols"][_NAMED[token]][language]
    shown = label(token)
    return f"“{shown}”" if shown.strip("“”") in _symbol_names(language) else shown


@lru_cache(maxsize=4)
def _symbol_names(language: str) -> frozenset[str]:
    return frozenset(names()["symbols"][key][language] for key in _NAMED.values())


def others_name(n: int) -> str:
    """Name the row of all other tokens.

    Examples
    --------
    >>> others_name(1), others_name(1200)
    ('1 other', '1,200 others')
    """
    return say("{n:,} other" if n == 1 else "{n:,} others", n=n)


def short_label(token: str, most: int = 10) -> str:
    """Write a token as `display` does, in characters that the fonts have, truncated to ``most`` characters.

    Examples
    --------
    >>> short_label(" the"), short_label(" extraordinarily")
    ('␣the', '␣extraord…')
    """
    return cut(drawable(label(token)), most)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = TEXT_PT, *, bold: bool = False, ink: bool = False) -> float:
    """Measure the width of a text in points; with ``ink``, without the space that the font leaves before and after the outlines."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    if ink:
        return float(text_path(text, size).get_extents().width) if text.strip() else 0.0
    text = drawable(text, bold=bold)
    font = FontProperties(family=families(text, bold=bold), size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def text_path(text: str, size: float) -> Path:
    """Outline a text from the origin; dollar signs are no mathematics."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.textpath import text_to_path
    from matplotlib.transforms import Affine2D

    text = drawable(text)
    vertices, codes = text_to_path.get_text_path(FontProperties(family=families(text)), text, ismath=False)
    points = np.array(vertices, dtype=float).reshape(-1, 2)
    return Path(points, codes or None).transformed(Affine2D().scale(size / text_to_path.FONT_SCALE))


def wrap(text: str, width: float, size: float = TEXT_PT, *, bold: bool = False) -> list[str]:
    """Wrap a text to a width in points: as few lines as possible, of about equal length.

    Examples
    --------
    >>> wrap("one two three four", 1000)
    ['one two three four']
    >>> wrap("one two three four", 110)
    ['one two', 'three four']
    """
    text = drawable(text, bold=bold)
    lines = _wrap_greedily(text, width, size, bold)
    for narrower in np.arange(0.98, 0.3, -0.02) * width:
        even = _wrap_greedily(text, float(narrower), size, bold)
        if len(even) > len(lines) or any(text_width(line, size, bold=bold) > narrower for line in even):
            break
        lines = even
    return lines


def _wrap_greedily(text: str, width: float, size: float, bold: bool) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shorten(text: str, width: float, size: float = TEXT_PT, *, keep: Literal["start", "end"] = "start") -> str:
    """Shorten a text to a width in points, with an ellipsis in place of what is removed; ``keep`` is the part that stays."""
    shown = drawable(text)
    kept = units(shown)
    while kept and text_width(shown, size) > width:
        kept = kept[:-1] if keep == "start" else kept[1:]
        shown = f"{''.join(kept)}…" if keep == "start" else f"…{''.join(kept)}"
    return shown


def quoted(prompt: str, width: float) -> str:
    """Quote a prompt within a width in points, with symbols for white space other than the space."""
    return f"“{shorten(display(prompt, keep=' '), width - 20)}”"
