"""A run's figures and films in one PowerPoint file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.runs import Run
from viz.drawing.theme import theme
from viz.figures.deck import DeckPage, write_deck
from viz.films.encode import write_last_frame
from viz.request import FigureRequest
from viz.sidecar import read_sidecar, sidecar_path

if TYPE_CHECKING:
    from viz.figures.figure import Figure


def write_run_deck(run: Run, pages: Sequence[tuple[Figure, Path]], folder: Path, request: FigureRequest) -> Path:
    """Write ``<run>.pptx`` of figures, and of the films that the run's folder holds.

    Parameters
    ----------
    pages : each figure with its PNG.
    request : of the figures. Films of the other theme are left out where there are any of this one.

    Returns
    -------
    The path of the deck.
    """
    with tempfile.TemporaryDirectory() as scratch:
        stills = [DeckPage(figure.title, picture, figure.alt_text, _notes(picture)) for figure, picture in pages]
        films = [_film_page(film, Path(scratch)) for film in _films(run, request.theme)]
        path, title = folder / f"{deck_name(run, request)}.pptx", f"{run.name}: a GPT learns"
        return write_deck([*stills, *films], path, title, theme(request.theme), request.size)


def deck_name(run: Run, request: FigureRequest) -> str:
    """Name the deck of a run: the run, and the theme and the shape of the slides where they are not the usual ones."""
    return "-".join([run.name, *request.name_words("theme", "size")])


def _films(run: Run, theme_name: str) -> list[Path]:
    """List the run's films that have a sidecar: those in this theme, or all where there are none."""
    films = [path for path in sorted((run.path / "films").glob("*.mp4")) if sidecar_path(path).is_file()]
    return [path for path in films if read_sidecar(path)["options"].get("theme") == theme_name] or films


def _film_page(film: Path, scratch: Path) -> DeckPage:
    """Make a page that shows the film's last frame until it plays."""
    poster = write_last_frame(film, scratch / f"{film.stem}.png")
    title, alt_text = f"Film: {film.stem.replace('-', ' ')}", read_sidecar(film)["alt_text"]
    return DeckPage(title, poster, alt_text, _notes(film), film)


def _notes(path: Path) -> str:
    """Write the speaker's notes: the alt text, and how the picture was made."""
    about = read_sidecar(path)
    return f"{about['alt_text']}\n\nMade by {about['command']} from run {about['run']}."
