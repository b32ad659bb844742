"""python -m viz.figures: stills for slides, as PNG, SVG and PDF, and a deck of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from data.commands import run_command
from data.errors import NotApplicableError
from viz.registry import FIGURES
from viz.request import FigureRequest

if TYPE_CHECKING:
    from data.runs import Run
    from viz.figures.figure import Figure

PROG = "python -m viz.figures"


def main(request: FigureRequest) -> None:
    """Draw the chosen figures and write them in every format; print which files were written."""
    from data.runs import open_run
    from viz.figures.deck import require_pptx, write_run_deck
    from viz.fonts import lettering
    from viz.output import writable_folder

    request.validate()
    if request.deck:
        require_pptx()
    run = open_run(request.run)
    folder = writable_folder(request.out or run.inside("figures"))
    with lettering(run):
        pages = _draw_all(run, request, folder)
    if request.deck:
        print(f"wrote {write_run_deck(run, pages, folder, request)}")


def _draw_all(run: Run, request: FigureRequest, folder: Path) -> list[tuple[Figure, Path]]:
    """Draw and write the figures; return each with its first file, and print which do not apply to the run."""
    from data.progress import progress_bar
    from viz.figures.figure import make_figure

    pages: list[tuple[Figure, Path]] = []
    left_out: dict[str, list[str]] = {}
    for name in sorted(request.names, key=_needs_layout):
        try:
            with progress_bar(name, len(run.manifest()), "snapshot") as update:
                figure = make_figure(run, request.single(name), progress=update)
        except NotApplicableError as reason:
            if request.only:
                raise
            left_out.setdefault(str(reason), []).append(name)
            continue
        paths = [folder / f"{figure.request.file_name}.{suffix}" for suffix in request.formats]
        figure.save(*paths)
        print(*(f"wrote {path}" for path in paths), sep="\n")
        pages.append((figure, paths[0]))
    for why, names in left_out.items():
        print(f"{PROG}: not drawn ({', '.join(names)}): {why}", file=sys.stderr)
    return sorted(pages, key=lambda page: request.names.index(page[0].request.kind.name))


def _needs_layout(name: str) -> bool:
    """Check whether a figure shows a layout; these come last, since a film that is made meanwhile computes the same layout first."""
    return "method" in FIGURES[name].fields


if __name__ == "__main__":
    run_command(main, FigureRequest, prog=PROG)
