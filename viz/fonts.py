"""The fonts of pictures: the characters they have, fonts of installed packages for further scripts, and letters that look alike.

matplotlib's own DejaVu Sans has the Latin, Greek, Cyrillic, Hebrew and Arabic letters. The packages of ``pip install "gptlab[fonts]"`` add
Noto fonts, and are used where they are installed, for texts that need them. A character that no font has is written as its code point.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import name

from data.errors import list_names
from data.notices import notify
from data.printing import visible
from probes.groups.symbols import display

if TYPE_CHECKING:
    from data.runs import Run

_CJK_PACKAGE = "cvttf_NotoSansCJK_Regular"
_FONTPKG = "fontpkg.family"
"""The entry points by which packages of fontpkg announce a font."""
_MOST_NAMED = 6


@dataclass(frozen=True)
class Lettering:
    """How the tokens of a picture are lettered, and the characters that were lacking."""

    source: Run | Sequence[str]
    missing: dict[str, None] = field(default_factory=dict)

    @cached_property
    def look_alikes(self) -> tuple[frozenset[str], frozenset[str]]:
        """The tokens that look like others, and the letters to tell them by; see `look_alikes`."""
        if isinstance(self.source, Sequence):
            return look_alikes(tuple(self.source))
        return look_alikes(tuple(self.source.tokenizer.labels) if "tokenizer" in self.source.info else ())


_current: ContextVar[Lettering | None] = ContextVar("lettering", default=None)


@contextlib.contextmanager
def lettering(source: Run | Sequence[str]) -> Iterator[None]:
    """Letter pictures of a run, or of tokens: those that look alike are distinguished, and one notice names characters without a glyph.

    Within another lettering that one goes on.
    """
    if _current.get() is not None:
        yield
        return
    current = Lettering(source)
    reset = _current.set(current)
    try:
        yield
    finally:
        _current.reset(reset)
    if current.missing:
        notify(_missing_message(list(current.missing)), stacklevel=4)


def label(token: str) -> str:
    """Write a token as `display` does, with letters that make it look like another token of the run as code points."""
    current = _current.get()
    tokens, letters = current.look_alikes if current else (frozenset(), frozenset())
    return display(token, coded=letters if token in tokens else ())


def letter(source: Run | Sequence[str], tokens: Iterable[str], write: Callable[[str], str] = label) -> list[str]:
    """Write tokens of a run, or of a vocabulary, each as `label` does, or another function that calls it."""
    with lettering(source):
        return [write(token) for token in tokens]


def drawable(text: str, *, bold: bool = False) -> str:
    """Write characters of a text that have no ink, or no glyph in the fonts, as code points; spaces and line ends stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    lacking = [c for c in dict.fromkeys(text) if c != "\n" and not _has_glyph(c, bold)]
    if (current := _current.get()) and lacking:
        current.missing.update((c, None) for c in lacking if visible(c) == c)
    return visible(text, lacking)


def families(text: str, *, bold: bool = False) -> list[str]:
    """List the font families for a text: matplotlib's own, and those of packages where it lacks a character."""
    import matplotlib as mpl

    is_covered = all(ord(c) in _own_glyphs(bold) or c == "\n" for c in text)
    return [*mpl.rcParams["font.family"], *(() if is_covered else further_fonts())]


@lru_cache(maxsize=4)
def look_alikes(tokens: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Find the tokens that look like another one in matplotlib's own font, and the letters to tell them by.

    Of letters with the same outline, as Latin A and Cyrillic А, that of the script with more characters in the tokens stays a letter.

    Examples
    --------
    >>> look_alikes(("abc", "аbc", "b", "с")) == ({"аbc"}, {"а"})
    True
    """
    characters = {c for token in tokens for c in token if c.isprintable() and ord(c) in _own_glyphs(False)}
    if all(map(str.isascii, characters)):
        return frozenset(), frozenset()
    by_outline: dict[bytes, list[str]] = defaultdict(list)
    for c in characters:
        by_outline[_outline(c)].append(c)
    n_of_script = Counter(map(_script, characters))
    first_of: dict[str, str] = {}
    for alike in by_outline.values():
        first, *others = sorted(alike, key=lambda c: (-n_of_script[_script(c)], c))
        first_of |= dict.fromkeys(others, first)
    table = str.maketrans(first_of)
    n_alike = Counter(token.translate(table) for token in tokens)
    confused = {t for t in tokens if n_alike[t.translate(table)] > 1 and t.translate(table) != t}
    return frozenset(confused), frozenset(c for c in first_of if any(c in token for token in confused))


def _script(character: str) -> str:
    return name(character, "").partition(" ")[0]


@lru_cache(maxsize=8192)
def _outline(character: str) -> bytes:
    """Read the outline of a character; one that is empty is the character's own."""
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    font = get_font(findfont(FontProperties()))
    font.load_char(ord(character), flags=LoadFlags.NO_SCALE | LoadFlags.NO_HINTING)
    vertices, _ = font.get_path()
    return bytes(vertices.tobytes()) or character.encode()


def _has_glyph(character: str, bold: bool) -> bool:
    return ord(character) in _own_glyphs(bold) or any(ord(character) in glyphs for glyphs in further_fonts().values())


@lru_cache(maxsize=2)
def _own_glyphs(bold: bool) -> frozenset[int]:
    """List the code points in matplotlib's default font, or in its bold face."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(weight="bold" if bold else "normal"))).get_charmap())


@lru_cache(maxsize=1)
def further_fonts() -> dict[str, frozenset[int]]:
    """Register the fonts of installed packages with matplotlib; return the code points in each, by family."""
    from matplotlib.font_manager import fontManager, get_font

    modules = [one.value for one in entry_points(group=_FONTPKG) if one.name.startswith("noto_sans")]
    found: dict[str, frozenset[int]] = {}
    for module in [*sorted(modules), _CJK_PACKAGE]:
        spec = find_spec(module)
        for folder in spec.submodule_search_locations or [] if spec else []:
            for path in sorted(p for p in Path(folder).rglob("*") if p.suffix in (".ttf", ".otf")):
                fontManager.addfont(path)
                # They have one weight; entered as the bold one as well, they are found without a message.
                added = [entry for entry in fontManager.ttflist if entry.fname == str(path)]
                fontManager.ttflist += [replace(entry, weight=700) for entry in added]
                found[get_font(path).family_name] = frozenset(get_font(path).get_charmap())
    return found


def _missing_message(missing: Sequence[str]) -> str:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = [get_font(findfont(FontProperties())).family_name, *further_fonts()]
    which = f"the font {fonts[0]} has" if len(fonts) == 1 else f"the fonts {', '.join(fonts)} have"
    what = f"{len(missing)} character{'s' * (len(missing) > 1)} ({list_names(missing, _MOST_NAMED)})"
    advice = '; pip install "gptlab[fonts]" adds fonts for East Asian and Indian scripts' if len(fonts) == 1 else ""
    return f"{which} no glyph for {what}: written as code points{advice}"
