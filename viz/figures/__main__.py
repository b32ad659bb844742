"""python -m viz.figures: stills for slides, as PNG, SVG and PDF, and a deck of them."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.commands import run_command
from data.errors import InputError, NotApplicableError

if TYPE_CHECKING:
    from data.runs import Run
    from viz.figures.drawings import Drawing

PROG = "python -m viz.figures"
FORMATS = ("png", "svg", "pdf")

# What concerns some figures only; given by name, it must concern one that is drawn.
PARTICULAR = ("highlight", "perplexity", "step", "prompt", "layer", "head", "text", "trace")


@dataclass(frozen=True)
class FigureRequest:
    """Draw figures of a run for slides: losses, maps, attention, head scores, tables, next tokens.

    Without options: every figure that applies to the newest run.
    """

    only: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME"), tyro.conf.UseAppendAction] = ()
    """Draw this figure only (loss, tokens, positions, attention, layer, head, scores, next-token, temperature, trace, lens, context,
    zero-shot, token-spectrum, position-spectrum, position-table, similarity); may be given again."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    prompt: str | None = None
    """For attention, layer, head, next-token, temperature, trace, lens: what the model reads; the opening of the last sample if none."""
    step: int | None = None
    """For the same: the snapshot to draw; the last if not given."""
    layer: int | None = None
    """For layer and head: which (the first is 0)."""
    head: int | None = None
    """For head: which (the first is 0); the most focused one if not given."""
    text: Path | None = None
    """For scores, context and zero-shot: a text file to measure on instead of the run's own validation text."""
    trace: str | None = None
    """For trace: the name of one that  python -m trainer.generate --trace  recorded; the likeliest tokens after the prompt if not given."""
    highlight: Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction] = ()
    """Labels or group names to pick out in the maps; needs --only tokens or --only positions."""
    method: Literal["tsne", "umap", "pca"] = "tsne"
    """How the layout of a map is made."""
    perplexity: float | None = None
    """For t-SNE: about how many neighbours each point attends to; from the number of points if not given."""
    seed: int = 0
    """Seed of layouts and of what is drawn at random."""
    theme: Literal["light", "dark"] = "light"
    """Colours of the picture."""
    size: str = "16:9"
    """Shape of the slide: 16:9, 4:3 or square."""
    transparent: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Leave the ground out, so that the slide's own shows."""
    format: str = "png,svg,pdf"
    """Formats to write, with commas between."""
    deck: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Put the figures, and the run's films, into one PowerPoint file."""
    out: Path | None = None
    """Folder for the figures; the run's own folder figures/ if not given."""


def main(options: FigureRequest) -> None:
    """Draw the figures asked for; print which files were written."""
    from data.runs import open_run
    from viz.drawing.slide import SIZES
    from viz.figures.deck import require_pptx
    from viz.output import chosen_formats, writable_folder

    formats = chosen_formats(options.format, FORMATS, "a figure")
    names = _chosen(options)
    if options.size not in SIZES:
        raise InputError(f"a slide is {', '.join(SIZES)}; got {options.size!r}: pass --size 16:9")
    if options.deck:
        require_pptx()
        formats = list(dict.fromkeys(["png", *formats]))
    run = open_run(options.run)
    folder = writable_folder(options.out or run.path / "figures")
    drawn: dict[str, Drawing] = {}
    left_out: dict[str, list[str]] = {}
    for name in names:
        try:
            drawn[name] = _draw(run, name, options)
        except NotApplicableError as reason:
            if options.only:
                raise
            left_out.setdefault(str(reason), []).append(name)
            continue
        _write(drawn[name], name, folder, formats, run, options)
    for why, figures in left_out.items():
        print(f"{PROG}: not drawn ({', '.join(figures)}): {why}", file=sys.stderr)
    if options.deck:
        from viz.figures.run_deck import write_run_deck

        pages = [(drawing, folder / f"{stem(name, options)}.png") for name, drawing in drawn.items()]
        print(f"wrote {write_run_deck(run, pages, folder, options.theme, options.size)}")


def stem(name: str, options: FigureRequest) -> str:
    """Return the name of a figure's files: what it shows, and whatever is not as usual."""
    theme = [] if options.theme == "light" else [options.theme]
    size = [] if options.size == "16:9" else [options.size.replace(":", "x")]
    return "-".join([name, *theme, *size, *(["transparent"] if options.transparent else [])])


def _draw(run: Run, name: str, options: FigureRequest) -> Drawing:
    from data.progress import progress_bar
    from viz.drawing.slide import SIZES
    from viz.drawing.theme import theme
    from viz.figures.drawings import FIGURES, FigureOptions

    given = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(FigureOptions)
        if hasattr(options, field.name)
    }
    wish = FigureOptions(**{**given, "theme": theme(options.theme), "inches": SIZES[options.size]})
    with progress_bar(name, len(run.manifest()), "snapshot") as update:
        return FIGURES[name].draw(run, wish, update)


def _write(drawing: Drawing, name: str, folder: Path, formats: list[str], run: Run, options: FigureRequest) -> None:
    from viz.output import save
    from viz.sidecar import write_sidecar

    for suffix in formats:
        path = save(drawing.figure, folder / f"{stem(name, options)}.{suffix}", transparent=options.transparent)
        write_sidecar(path, run, PROG, drawing.shown, drawing.alt_text, dataclasses.asdict(options))
        print(f"wrote {path}")


def _chosen(options: FigureRequest) -> list[str]:
    """Return the names of the figures to draw; refuse unknown ones, and options that concern none of them."""
    from viz.figures.drawings import FIGURES

    unknown = [name for name in options.only if name not in FIGURES]
    if unknown:
        raise InputError(f"there is no figure {unknown[0]!r}; there is {', '.join(FIGURES)}")
    if options.highlight and options.only not in (("tokens",), ("positions",)):
        raise InputError("--highlight belongs to one map: pass --only tokens or --only positions with it")
    for option in PARTICULAR:
        concerned = [name for name, kind in FIGURES.items() if option in kind.takes]
        if getattr(options, option) not in (None, ()) and not set(concerned) & set(options.only or FIGURES):
            raise InputError(
                f"--{option} does not concern {', '.join(options.only)}: it belongs to --only {' or '.join(concerned)}"
            )
    return list(options.only or FIGURES)


if __name__ == "__main__":
    run_command(main, FigureRequest, prog=PROG)
