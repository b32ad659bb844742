"""A run's figures and films in one PowerPoint file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.runs import Run
from viz.drawing.theme import theme as theme_of
from viz.figures.deck import DeckPage, write_deck
from viz.films.encode import write_last_frame

if TYPE_CHECKING:
    from viz.figures.drawings import Drawing


def write_run_deck(run: Run, pages: Sequence[tuple[Drawing, Path]], folder: Path, theme: str, size: str) -> Path:
    """Write ``<run>.pptx`` of drawn figures and of the films that the run's folder holds; return its path.

    Parameters
    ----------
    pages : each figure with its PNG.
    theme, size : of the figures; films of the other theme are left out where there are any of this one.
    """
    name = "-".join(
        [run.name, *([theme] if theme != "light" else []), *([size.replace(":", "x")] if size != "16:9" else [])]
    )
    with tempfile.TemporaryDirectory() as scratch:
        stills = [DeckPage(drawing.title, picture, drawing.alt_text, _notes(picture)) for drawing, picture in pages]
        films = [_film_page(film, Path(scratch)) for film in _films(run, theme)]
        return write_deck(
            [*stills, *films], folder / f"{name}.pptx", f"{run.name}: a GPT learns", theme_of(theme), size
        )


def _films(run: Run, theme: str) -> list[Path]:
    """Return the run's films that bear a sidecar, those in this theme where there are any."""
    films = [path for path in sorted((run.path / "films").glob("*.mp4")) if _sidecar(path).is_file()]
    fitting = [path for path in films if _said(path)["options"].get("theme") == theme]
    return fitting or films


def _film_page(film: Path, scratch: Path) -> DeckPage:
    """Return a page whose picture is the film's last frame."""
    poster = write_last_frame(film, scratch / f"{film.stem}.png")
    said = _said(film)
    return DeckPage(f"Film: {film.stem.replace('-', ' ')}", poster, said["alt_text"], _notes(film), film)


def _notes(path: Path) -> str:
    """Return what a speaker may want to know: the alt text, and how the picture was made."""
    said = _said(path)
    return f"{said['alt_text']}\n\nMade by {said['command']} from run {said['run']}."


def _said(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(_sidecar(path).read_text(encoding="utf-8"))
    return said


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".json")
