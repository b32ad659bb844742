"""Writing pictures: formats, folders, the bytes of a figure."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from data.files.atomic_files import write_bytes
from data.files.remote_files import check_local

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PATHS_SVG = "paths.svg"
FIGURE_DPI = 144
"""A slide of 40/3 x 7.5 inches has 1920 x 1080 pixels at this resolution."""


def chosen_formats(text: str, known: Sequence[str], thing: str) -> list[str]:
    """Read ``"mp4,gif"``; an `InputError` lists the formats of ``thing``."""
    formats = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not formats or any(name not in known for name in formats):
        raise InputError(f"{thing} is written as {', '.join(known)}; got {text!r}: pass `format={','.join(known)}`")
    return formats


def writable_folder(folder: Path) -> Path:
    """Make a folder and check that files can be written there; the system's `OSError` says why not."""
    check_local(folder)
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".writable-{os.getpid()}"
    probe.touch()
    probe.unlink()
    return folder


def format_of(path: Path) -> str:
    """Read the format of a figure from the end of its path: ``png``, ``svg``, ``pdf``, or ``paths.svg``."""
    return PATHS_SVG if path.name.endswith(f".{PATHS_SVG}") else path.suffix[1:]


def save(figure: Figure, path: Path, *, transparent: bool = False) -> Path:
    """Write a figure whole or not at all; see `encode_figure`."""
    write_bytes(path, encode_figure(figure, format_of(path), transparent=transparent))
    return path


def encode_figure(figure: Figure, suffix: str, *, transparent: bool = False) -> bytes:
    """Encode a figure as PNG, SVG or PDF; the same figure gives the same bytes.

    Text stays text in PDF and SVG, with its spaces, and with the letters of matplotlib's own font in the file. Text in ``paths.svg`` is
    drawn as paths, for programs that ignore fonts in files.
    """
    import matplotlib as mpl

    kind = suffix.rpartition(".")[2]
    undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    ground = "none" if transparent else figure.get_facecolor()
    buffer = io.BytesIO()
    svg_text = "path" if suffix == PATHS_SVG else "none"
    with mpl.rc_context({"pdf.fonttype": 42, "svg.fonttype": svg_text, "svg.hashsalt": "gptlab"}):
        figure.savefig(buffer, format=kind, dpi=FIGURE_DPI, facecolor=ground, metadata=undated)
    return _lettered(buffer.getvalue().decode()).encode() if suffix == "svg" else buffer.getvalue()


def _lettered(svg: str) -> str:
    """Keep the spaces of the texts in an SVG, and put the letters that they need into it."""
    characters = {"normal": "", "bold": ""}
    for style, text in re.findall(r'<text style="([^"]*)"[^>]*>([^<]*)</text>', svg):
        characters["bold" if re.search(r"\b(bold|700)\b", style) else "normal"] += unescape(text)
    faces = [
        f"@font-face{{font-family:'DejaVu Sans';font-weight:{weight};src:url(data:font/woff;base64,{_letters(text, weight)})}}"
        for weight, text in characters.items()
        if text
    ]
    svg = svg.replace('<style type="text/css">', f'<style type="text/css">{"".join(faces)}', 1)
    return svg.replace("<text ", '<text xml:space="preserve" ')


def _letters(text: str, weight: str) -> str:
    """Encode the part of matplotlib's own font that a text needs, as WOFF in base 64."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from matplotlib.font_manager import FontProperties, findfont

    buffer = io.BytesIO()
    path = findfont(FontProperties(family="DejaVu Sans", weight=weight))
    with TTFont(path, recalcTimestamp=False, lazy=True) as font:  # of most tables only a part is read
        subset = Subsetter(Options(notdef_outline=True))
        subset.options.drop_tables += ["FFTM"]  # FontForge's time stamp, of which the subsetter would complain
        subset.populate(text=text)
        subset.subset(font)
        font.flavor = "woff"
        font.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode()
