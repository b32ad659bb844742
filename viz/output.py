"""Writing pictures: formats, folders, the bytes of a figure."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from data.runs.atomic_files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".writable-{os.getpid()}"
    probe.touch()
    probe.unlink()
    return folder


def save(figure: Figure, path: Path, *, transparent: bool = False) -> Path:
    """Write a figure whole or not at all; see `encode_figure`."""
    write_bytes(path, encode_figure(figure, path.suffix[1:], transparent=transparent))
    return path


def encode_figure(figure: Figure, suffix: str, *, transparent: bool = False) -> bytes:
    """Encode a figure as PNG, SVG or PDF. Text stays text in PDF and SVG, and the same figure gives the same bytes."""
    import matplotlib as mpl

    undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[suffix]
    ground = "none" if transparent else figure.get_facecolor()
    buffer = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "gptlab"}):
        figure.savefig(buffer, format=suffix, dpi=FIGURE_DPI, facecolor=ground, metadata=undated)
    return buffer.getvalue()
