"""Contact sheets of every kind of film and figure of a run, and a table of what a machine can see wrong in them.

    python benchmarks/storyboard.py --run demo --out storyboard

A film's sheet has its first frame, its quarter points and its last frame; a figure's the figure alone. There is a sheet for each
theme and each size. Columns of the table, all at the last frame: the smallest text in pixels, the lowest contrast of a text, texts that
overlap or are cut off, entries of the legend that look alike; and over the whole film the fastest point in pixels a frame, and the
share of points at the end that are doubted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from tables import show

sys.path.insert(0, str(Path(__file__).parents[1]))  # the checks are those of the tests

from data.errors import NotApplicableError
from data.runs import Run, open_run
from tests.viz.visible import Seen, drawn_figure, drawn_film, fastest_px, look_at, share_doubted
from viz.drawing.theme import THEMES
from viz.figures.figure import make_figure
from viz.films.film import make_film
from viz.registry import FIGURES, FILMS
from viz.request import FigureRequest, FilmRequest

FILM_SIZES = ("1920x1080", "1080x1920", "640x360")
FIGURE_SIZES = ("16:9", "square")
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
WIDEST_PX = 960
"""Wider frames are reduced to this width in a sheet."""

COLUMNS = ("picture", "size", "theme", "text px", "contrast", "overlap", "cut off", "alike", "px/frame", "doubted %")
Row = tuple[str | float, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", help="name of the run; the newest if not given")
    parser.add_argument("--out", type=Path, default=Path("storyboard"), help="folder for the contact sheets")
    parser.add_argument("--only", action="append", help="this film or figure only; may be given again")
    options = parser.parse_args()
    run = open_run(options.run)
    options.out.mkdir(parents=True, exist_ok=True)
    names = options.only or list(dict.fromkeys([*FILMS, *FIGURES]))
    rows = [row for name in names if name in FILMS for row in films(run, name, options.out)]
    rows += [row for name in names if name in FIGURES for row in figures(run, name, options.out)]
    show(f"What can be seen in the films and figures of {run.name}", COLUMNS, rows)


def films(run: Run, kind: str, out: Path) -> Iterator[Row]:
    """Draw the contact sheets of a kind of film; yield a row for each."""
    for size in FILM_SIZES:
        for theme in THEMES:
            try:
                film = make_film(run, FilmRequest(what=kind, size=size, theme=theme))
            except NotApplicableError as reason:
                print(f"no film of {kind}: {reason}")
                return
            last = film.timeline.n_snapshots - 1.0
            times = list(film.timeline)
            moving = [time for time in times if time < last] or [last]
            stills = [*(moving[int(share * (len(moving) - 1))] for share in SHARES[:-1]), last]
            frames = [drawn_film(film, time)[0][..., :3] for time in stills]
            sheet(frames, out / f"film-{kind}-{theme}-{size}.png")
            pixels, texts = drawn_film(film, last)
            numbers = (fastest_px(film), 100 * share_doubted(film))
            yield _row(f"film {kind}", size, theme, look_at(texts, pixels), numbers)


def figures(run: Run, kind: str, out: Path) -> Iterator[Row]:
    """Draw a kind of figure in each size and theme; yield a row for each."""
    for size in FIGURE_SIZES:
        for theme in THEMES:
            try:
                figure = make_figure(run, FigureRequest(only=(kind,), size=size, theme=theme))
            except NotApplicableError as reason:
                print(f"no figure of {kind}: {reason}")
                return
            pixels, texts = drawn_figure(figure.drawing)
            sheet([pixels[..., :3]], out / f"figure-{kind}-{theme}-{size.replace(':', 'x')}.png")
            yield _row(f"figure {kind}", size, theme, look_at(texts, pixels), (np.nan, np.nan))


def _row(name: str, size: str, theme: str, seen: Seen, numbers: tuple[float, float]) -> Row:
    counts = (float(len(one)) for one in (seen.overlaps, seen.cut_off, seen.alike))
    return (name, size, theme, seen.least_px, seen.least_contrast, *counts, *numbers)


def sheet(frames: list[np.ndarray], path: Path) -> None:
    """Write frames side by side, in rows of three."""
    height, width = frames[0].shape[:2]
    scale = min(1.0, WIDEST_PX / width)
    tile = round(width * scale), round(height * scale)
    columns = min(len(frames), 3)
    rows = -(-len(frames) // columns)
    whole = Image.new("RGB", (columns * (tile[0] + 8) - 8, rows * (tile[1] + 8) - 8), "#808080")
    for i, frame in enumerate(frames):
        place = (i % columns) * (tile[0] + 8), i // columns * (tile[1] + 8)
        whole.paste(Image.fromarray(np.ascontiguousarray(frame)).resize(tile, Image.Resampling.LANCZOS), place)
    whole.save(path)


if __name__ == "__main__":
    main()
