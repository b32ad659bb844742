"""python -m viz.video: a film of a run's embeddings over training."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.cli import run as run_command

if TYPE_CHECKING:
    import xarray as xr

    from data.runs import Run
    from viz.canvas import Size
    from viz.embedding_film import EmbeddingFilm
    from viz.film import Timeline
    from viz.subject import Subject

PROG = "python -m viz.video"
FORMATS = ("mp4", "gif")


@dataclass(frozen=True)
class Options:
    """Film the embeddings of a run over training, as MP4 and GIF.

    Without options: the position embeddings of the newest run, laid out by t-SNE.
    """

    what: Literal["positions", "tokens"] = "positions"
    """Which table to film."""
    highlight: Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction] = ()
    """Labels or group names with commas between: 12,13,14 or vowels. May be given again; each group has its own colour."""
    method: Literal["tsne", "umap", "pca"] = "tsne"
    """How the layout is made."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    perplexity: float | None = None
    """For t-SNE: about how many neighbours each point attends to; from the number of points if not given."""
    seed: int = 0
    """Seed of the layout."""
    fps: int = 30
    """Frames a second."""
    seconds_per_snapshot: float = 0.5
    """Time from one snapshot to the next."""
    hold: float = 2.0
    """Seconds that the last frame stays."""
    size: str = "1920x1080"
    """Width and height in pixels, both even."""
    theme: Literal["light", "dark"] = "light"
    """Colours of the picture."""
    format: str = "mp4,gif"
    """Formats to write, with commas between."""
    out: Path | None = None
    """Folder for the films; the run's own folder films/ if not given."""


def main(options: Options) -> None:
    """Read, lay out, draw and encode; print which files were written."""
    from data.progress import progress_bar
    from data.runs import open_run
    from viz.canvas import Size
    from viz.film import Timeline
    from viz.output import chosen_formats, writable_folder
    from viz.projection_cache import cached_projection
    from viz.sidecar import write_sidecar
    from viz.subject import alt_text, read_subject

    formats = chosen_formats(options.format, FORMATS, "a film")
    size = Size.parse(options.size)
    Timeline(
        2, options.fps, options.seconds_per_snapshot, options.hold
    )  # says what is wrong with them before the long work begins
    run = open_run(options.run)
    folder = writable_folder(options.out or run.path / "films")
    subject = read_subject(run, options.what, options.highlight)
    with progress_bar("layout", subject.trajectory.sizes["step"], "snapshot") as update:
        projection = cached_projection(
            run, subject.trajectory, options.method, seed=options.seed, perplexity=options.perplexity, progress=update
        )
    timeline = Timeline(projection.sizes["step"], options.fps, options.seconds_per_snapshot, options.hold)
    paths = [folder / f"{film_name(options)}.{suffix}" for suffix in formats]
    _encode(picture(run, subject, projection, size, options.theme), timeline, paths, size)
    for path in paths:
        write_sidecar(path, run, PROG, projection, alt_text(run, subject, projection), dataclasses.asdict(options))
        print(f"wrote {path}")


def picture(run: Run, subject: Subject, projection: xr.Dataset, size: Size, theme: str) -> EmbeddingFilm:
    """Return the film's picture: the projection with the run's curves beside it."""
    from viz.embedding_film import EmbeddingFilm
    from viz.style import theme as theme_of
    from viz.subject import caption, loss_curve, trust_curve

    loss = loss_curve(run)
    curves = [*([loss] if loss else []), trust_curve(projection)]
    return EmbeddingFilm(
        projection,
        subject.groups,
        curves,
        caption(run, subject, projection),
        size,
        theme_of(theme),
        classes=subject.classes,
        threaded=subject.is_ordered,
    )


def film_name(options: Options) -> str:
    """Return the name of the film's files: what, method, highlights and, unless it is the light one, the theme."""
    from viz.output import slug

    highlights = [slug(text) for text in options.highlight]
    theme = [] if options.theme == "light" else [options.theme]
    return "-".join([options.what, options.method, *highlights, *theme])


def _encode(film: EmbeddingFilm, timeline: Timeline, paths: list[Path], size: Size) -> None:
    """Draw every frame once and send it to all files; a file is there when it is complete."""
    from data.progress import progress_bar
    from viz.encode import encoder, write_film

    last = timeline.n_snapshots - 1.0
    samples = [frame.copy() for frame in film.frames([0.0, last / 2, last])]
    with contextlib.ExitStack() as stack:
        update = stack.enter_context(progress_bar("film", len(timeline), "frame"))
        sinks = [stack.enter_context(encoder(path, size, timeline.fps, samples)) for path in paths]
        for done in write_film(film.frames(timeline), sinks):
            update(done)


if __name__ == "__main__":
    run_command(main, Options, prog=PROG)
