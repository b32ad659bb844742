"""The deck of a run in the order of a talk: a title slide with the finding, the films, the main one first, then the figures."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.language import in_language, say
from data.notices import notify
from data.runs import Run
from data.runs.names import architecture
from viz.drawing.theme import theme
from viz.figures.deck.powerpoint import DeckPage, write_deck
from viz.figures.deck.saved_films import SavedFilm, saved_films
from viz.films.encode import read_first_frame
from viz.request import FigureRequest
from viz.sidecar import read_sidecar

if TYPE_CHECKING:
    from viz.figures.figure import Figure

_FIRST = ("loss", "positions", "tokens", "heads", "attention", "layer", "head", "next-token")
"""The figures that come first in a talk, in this order; the others follow in theirs."""
_WITH_FINDINGS = ("positions", "tokens")
"""Kinds of films and figures whose title is a finding."""


def write_run_deck(run: Run, pages: Sequence[tuple[Figure, Path]], folder: Path, request: FigureRequest) -> Path:
    """Write ``<run>.pptx`` of the films that the run's folder holds, and of figures.

    Parameters
    ----------
    pages : each figure with its PNG.
    request : of the figures. Films of the other theme are left out, with a notice that has the command to make them in this one.

    Returns
    -------
    The path of the deck.
    """
    with in_language(request.language):
        return _write(run, pages, folder, request)


def _write(run: Run, pages: Sequence[tuple[Figure, Path]], folder: Path, request: FigureRequest) -> Path:
    films = _films(run, request)
    stills = sorted(pages, key=lambda page: _place(page[0]))
    path = folder / f"{deck_name(run, request)}.pptx"
    titles = [(film.request.what, film.title) for film in films if not film.age and film.request.control is None]
    titles += [(figure.request.kind.name, figure.title) for figure, _ in stills]
    finding = next((title for kind, title in titles if kind in _WITH_FINDINGS and title), "")
    with tempfile.TemporaryDirectory() as scratch:
        slides = [_film_page(film, Path(scratch)) for film in films]
        slides += [DeckPage(figure.title, png, figure.alt_text, _notes(read_sidecar(png))) for figure, png in stills]
        subtitle, look = _title(run) if finding else "", theme(request.theme)
        return write_deck(slides, path, finding or _title(run), look, request.size, subtitle=subtitle)


def _place(figure: Figure) -> int:
    """Look up the place of a figure in a talk."""
    name = figure.request.kind.name
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _title(run: Run) -> str:
    """Write what a deck shows; the snapshot of a finished model and word vectors do not learn."""
    name = architecture(run.info) or say("word vectors")
    name = say("a GPT") if name == "GPT" else name
    is_finished = run.step_attrs and len(run.manifest()) == 1
    return say("{run}: {name}" if is_finished else "{run}: {name} learns", run=run.name, name=name)


def deck_name(run: Run, request: FigureRequest) -> str:
    """Name the deck of a run: the run, and the theme and the shape of the slides where they are not the usual ones."""
    return "-".join([run.name, *request.name_words("theme", "size", "language")])


def _films(run: Run, request: FigureRequest) -> list[SavedFilm]:
    """List the run's films in the deck's theme and language; give notice of the others, and of films that are older than the run."""
    films, look = saved_films(run), {"theme": request.theme, "language": request.language}
    chosen = [film for film in films if all(getattr(film.request, name) == value for name, value in look.items())]
    made = {film.request.file_name for film in chosen}
    others = {replace(film.request, **look).file_name: film for film in films}  # type: ignore[arg-type]
    if others := {name: film for name, film in others.items() if name not in made}:
        names = ", ".join(film.path.name for film in others.values())
        commands = " && ".join(_command(run, film, **look) for film in others.values())
        notify(
            f"left out of the {request.theme} deck, since of another theme or language: {names}; make anew with  {commands}"
        )
    for film in chosen:
        if film.age:
            notify(f"{film.path.name}: {film.age}; make it anew with  {_command(run, film)}")
    return chosen


def _command(run: Run, film: SavedFilm, **changes: Any) -> str:
    """Write the command that makes a film anew."""
    request = film.request if film.request.runs else replace(film.request, run=run.name)
    return shlex.join(["python", "-m", "viz.video", *replace(request, **changes).arguments()])


def _film_page(film: SavedFilm, scratch: Path) -> DeckPage:
    """Make a page that shows the film's first frame until it plays, so that the end is not given away."""
    poster = scratch / f"{film.path.stem}.png"
    frame, seconds = read_first_frame(film.path)
    frame.save(poster)
    title = say("Film: {title}", title=film.title or film.path.stem.replace("-", " "))
    alt_text, notes = str(film.record["alt_text"]), _notes(film.record)
    return DeckPage(title, poster, alt_text, notes, film.path, seconds=seconds, mark=film.age)


def _notes(about: Mapping[str, Any]) -> str:
    """Write the speaker's notes: the alt text, and how the picture was made."""
    made = say("Made by {command} from run {run}.", command=about.get("command", ""), run=about.get("run") or "")
    return f"{about['alt_text']}\n\n{made}"
