"""python -m viz.video: a film of a run over its training."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.cli import run as run_command

if TYPE_CHECKING:
    from viz.canvas import Size
    from viz.film import Timeline
    from viz.films import Picture

PROG = "python -m viz.video"
FORMATS = ("mp4", "gif")


@dataclass(frozen=True)
class Options:
    """Film a run over its training, as MP4 and GIF.

    Without options: the position embeddings of the newest run, laid out by t-SNE.
    """

    what: Literal["positions", "tokens", "attention", "scores", "gram"] = "positions"
    """What to film: a table of embeddings, attention maps of a prompt, scores of all heads, or the similarity of positions."""
    highlight: Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction] = ()
    """Labels or group names with commas between: 12,13,14 or vowels. May be given again; each group has its own colour."""
    method: Literal["tsne", "umap", "pca"] = "tsne"
    """How the layout is made."""
    prompt: str | None = None
    """For attention: what the model reads; the opening of the run's last sample if not given."""
    layer: int | None = None
    """For attention: this layer only (the first is 0)."""
    head: int | None = None
    """For attention: this head only (the first is 0)."""
    text: Path | None = None
    """For scores: a text file to measure on instead of the run's own validation text."""
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
    """Read, draw and encode; print which files were written."""
    from data.progress import progress_bar
    from data.runs import open_run
    from viz.canvas import Size
    from viz.film import Timeline
    from viz.films import KINDS, Wish, check_options, n_snapshots
    from viz.output import chosen_formats, writable_folder
    from viz.sidecar import write_sidecar
    from viz.style import theme

    formats = chosen_formats(options.format, FORMATS, "a film")
    size = Size.parse(options.size)
    times = (options.fps, options.seconds_per_snapshot, options.hold)
    Timeline(2, *times)  # says what is wrong with them before the long work begins
    given = dataclasses.asdict(options)
    check_options(
        options.what, {name: given[name] for name in ("highlight", "perplexity", "prompt", "layer", "head", "text")}
    )
    run = open_run(options.run)
    folder = writable_folder(options.out or run.path / "films")
    wished = {
        field.name: given[field.name] for field in dataclasses.fields(Wish) if field.name not in ("size", "theme")
    }
    with progress_bar(options.what, len(run.manifest()), "snapshot") as update:
        film = KINDS[options.what].make(run, options.what, Wish(size, theme(options.theme), **wished), update)
    paths = [folder / f"{film_name(options)}.{suffix}" for suffix in formats]
    _encode(film.picture, Timeline(n_snapshots(film), *times), paths, size)
    for path in paths:
        write_sidecar(path, run, PROG, film.shown, film.alt_text, given)
        print(f"wrote {path}")


def film_name(options: Options) -> str:
    """Return the name of the film's files: what, how and which of it, and the theme unless it is the light one."""
    from viz.output import prompt_slug, slug

    is_table = options.what in ("positions", "tokens")
    which = [options.method, *(slug(text) for text in options.highlight)] if is_table else []
    which += [f"{name}-{at}" for name, at in (("layer", options.layer), ("head", options.head)) if at is not None]
    prompt = [prompt_slug(options.prompt)] if options.prompt else []
    theme = [] if options.theme == "light" else [options.theme]
    return "-".join([options.what, *which, *prompt, *theme])


def _encode(film: Picture, timeline: Timeline, paths: list[Path], size: Size) -> None:
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
