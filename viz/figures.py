"""python -m viz.figures: stills for slides, as PNG, SVG and PDF."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.cli import run as run_command
from data.errors import InputError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from data.runs import Run
    from viz.style import Theme

PROG = "python -m viz.figures"
FORMATS = ("png", "svg", "pdf")

# A slide of 13.333 x 7.5 inches at 144 dots an inch is 1920 x 1080 pixels.
SLIDE_INCHES = (13.333, 7.5)
SLIDE_DPI = 144


@dataclass(frozen=True)
class Options:
    """Draw figures of a run for slides: the losses, and the maps of tokens and positions before and after training."""

    only: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME"), tyro.conf.UseAppendAction] = ()
    """Draw this figure only (loss, tokens, positions); may be given again."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    highlight: Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction] = ()
    """Labels or group names to pick out in the maps; needs --only tokens or --only positions."""
    method: Literal["tsne", "umap", "pca"] = "tsne"
    """How the layout is made."""
    perplexity: float | None = None
    """For t-SNE: about how many neighbours each point attends to; from the number of points if not given."""
    seed: int = 0
    """Seed of the layout."""
    theme: Literal["light", "dark"] = "light"
    """Colours of the picture."""
    format: str = "png,svg,pdf"
    """Formats to write, with commas between."""
    out: Path | None = None
    """Folder for the figures; the run's own folder figures/ if not given."""


@dataclass(frozen=True)
class Drawing:
    """A finished figure with what its sidecar says of it."""

    figure: Figure
    alt_text: str
    projection: xr.Dataset | None = None


def main(options: Options) -> None:
    """Draw the figures asked for; print which files were written."""
    from data.runs import open_run
    from viz.output import chosen_formats, writable_folder
    from viz.sidecar import write_sidecar
    from viz.style import theme

    formats = chosen_formats(options.format, FORMATS, "a figure")
    names = _chosen(options)
    run = open_run(options.run)
    folder = writable_folder(options.out or run.path / "figures")
    for name in names:
        drawing = FIGURES[name](run, options, theme(options.theme))
        stem = name if options.theme == "light" else f"{name}-{options.theme}"
        for suffix in formats:
            path = save(drawing.figure, folder / f"{stem}.{suffix}")
            write_sidecar(path, run, PROG, drawing.projection, drawing.alt_text, dataclasses.asdict(options))
            print(f"wrote {path}")


def loss_figure(run: Run, options: Options, theme: Theme) -> Drawing:
    """Draw training and validation loss over the steps."""
    from viz.curves import draw_loss
    from viz.subject import loss_curve

    curve = loss_curve(run)
    if curve is None:
        raise InputError(f"run {run.name!r} has no losses to draw: it was made without evaluations")
    last = int(curve.steps[-1])
    alt = (
        f"Training and validation loss of run {run.name} over {last:,} steps. The validation loss falls from {curve.values[0]:.2f} to "
        f"{curve.values[-1]:.2f} nats per token."
    )
    return Drawing(draw_loss(curve, f"Loss of {run.name}", "nats per token", theme, SLIDE_INCHES), alt)


def map_figure(run: Run, options: Options, theme: Theme, *, what: Literal["tokens", "positions"]) -> Drawing:
    """Draw the layout of a table at the first and the last snapshot, side by side."""
    from data.progress import progress_bar
    from viz.maps import draw_maps
    from viz.projection_cache import cached_projection
    from viz.subject import alt_text, caption, read_subject

    subject = read_subject(run, what, options.highlight)
    with progress_bar(f"layout of {what}", subject.trajectory.sizes["step"], "snapshot") as update:
        projection = cached_projection(
            run, subject.trajectory, options.method, seed=options.seed, perplexity=options.perplexity, progress=update
        )
    figure = draw_maps(subject, projection, caption(run, subject, projection), theme, SLIDE_INCHES)
    return Drawing(figure, alt_text(run, subject, projection), projection)


FIGURES: dict[str, Callable[[Run, Options, Theme], Drawing]] = {
    "loss": loss_figure,
    "tokens": lambda run, options, theme: map_figure(run, options, theme, what="tokens"),
    "positions": lambda run, options, theme: map_figure(run, options, theme, what="positions"),
}


def save(figure: Figure, path: Path) -> Path:
    """Write a figure whole or not at all; text stays text in PDF and SVG, and the same figure gives the same bytes."""
    import io

    import matplotlib as mpl

    from data.files import write_bytes

    suffix = path.suffix[1:]
    undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[suffix]
    buffer = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "gptlab"}):
        figure.savefig(buffer, format=suffix, dpi=SLIDE_DPI, facecolor=figure.get_facecolor(), metadata=undated)
    write_bytes(path, buffer.getvalue())
    return path


def _chosen(options: Options) -> list[str]:
    unknown = [name for name in options.only if name not in FIGURES]
    if unknown:
        raise InputError(f"there is no figure {unknown[0]!r}; there is {', '.join(FIGURES)}")
    if options.highlight and options.only not in (("tokens",), ("positions",)):
        raise InputError("--highlight belongs to one map: pass --only tokens or --only positions with it")
    return list(options.only or FIGURES)


if __name__ == "__main__":
    run_command(main, Options, prog=PROG)
