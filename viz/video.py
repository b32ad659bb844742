"""python -m viz.video: a film of a run over its training."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from data.commands import run_command
from data.errors import InputError

if TYPE_CHECKING:
    from viz.drawing.canvas import Size
    from viz.films.kinds import Picture
    from viz.films.timeline import Timeline

What = Literal["positions", "tokens", "attention", "scores", "gram", "temperature"]

PROG = "python -m viz.video"
MOST_RUNS = 4
FORMATS = ("mp4", "gif")


@dataclass(frozen=True)
class FilmRequest:
    """Film a run over its training, as MP4 and GIF.

    Without options: the position embeddings of the newest run, laid out by t-SNE.
    """

    what: What = "positions"
    """What to film: a table of embeddings, attention, scores of all heads, how alike positions are, or the next token over temperature."""
    highlight: Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction] = ()
    """Labels or group names with commas between: 12,13,14 or vowels. May be given again; each group has its own colour."""
    method: Literal["tsne", "umap", "pca"] = "tsne"
    """How the layout is made."""
    metric: Literal["euclidean", "cosine"] = "euclidean"
    """For tables: what distance is. The cosine ignores how long the vectors are."""
    trust: bool = True
    """For tables: draw points fainter whose neighbours or motion in the picture are not those of the space."""
    control: Literal["shuffled", "init"] | None = None
    """For tables: show beside the run what the same method makes of shuffled vectors, or of ones that are redrawn and never trained."""
    runs: str | None = None
    """For tables: two to four runs side by side, with commas between: seed-1,seed-2."""
    prompt: str | None = None
    """For attention and temperature: what the model reads; the opening of the run's last sample if not given."""
    layer: int | None = None
    """For attention: this layer only (the first is 0)."""
    head: int | None = None
    """For attention: this head only (the first is 0)."""
    step: int | None = None
    """For temperature: the snapshot; the last if not given."""
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
    scheduler: str | None = None
    """Let Dask's workers measure and draw: local, local:2, or tcp://host:port; see docs/dask.md."""
    out: Path | None = None
    """Folder for the films; the run's own folder films/ if not given."""


def main(options: FilmRequest) -> None:
    """Read, draw and encode; print which files were written."""
    from data.progress import progress_bar
    from data.runs import open_run
    from probes.parallel import open_client
    from viz.drawing.canvas import Size
    from viz.drawing.theme import theme
    from viz.films.kinds import FILMS, FilmOptions, check_options, n_snapshots
    from viz.films.timeline import Timeline
    from viz.output import chosen_formats, writable_folder
    from viz.sidecar import write_sidecar

    formats = chosen_formats(options.format, FORMATS, "a film")
    size = Size.parse(options.size)
    times = (options.fps, options.seconds_per_snapshot, options.hold)
    Timeline(2, *times)  # says what is wrong with them before the long work begins
    given = dataclasses.asdict(options)
    check_options(options.what, _special(options))
    names = run_names(options)
    runs = tuple(open_run(name) for name in names)
    run = runs[0] if runs else open_run(options.run)
    folder = writable_folder(options.out or run.path / "films")
    wished = {
        field.name: given[field.name]
        for field in dataclasses.fields(FilmOptions)
        if field.name not in ("size", "theme", "runs")
    }
    n_pictures = max(len(runs), 2 if options.control else 1)
    wish = FilmOptions(size, theme(options.theme), runs=runs, **wished)
    paths = [folder / f"{film_name(options)}.{suffix}" for suffix in formats]
    with open_client(options.scheduler) as client:
        with progress_bar(options.what, n_pictures * len(run.manifest()), "snapshot") as update:
            film = FILMS[options.what].make(run, options.what, wish, update)
        _encode(film.picture, Timeline(n_snapshots(film), *times), paths, size, client)
    for path in paths:
        write_sidecar(path, run, PROG, film.shown, film.alt_text, given)
        print(f"wrote {path}")


def run_names(options: FilmRequest) -> list[str]:
    """Return the names of the runs to be filmed side by side, none if there is but one.

    Raises
    ------
    InputError
        One name or more than four, a name twice, or an option that does not go with several runs.
    """
    if options.runs is None:
        return []
    names = [name.strip() for name in options.runs.split(",") if name.strip()]
    if options.control or options.run:
        other = "--control" if options.control else "--run"
        raise InputError(f"--runs films several runs beside each other; got it with {other}: leave out one of the two")
    if not 2 <= len(names) <= MOST_RUNS:
        raise InputError(f"--runs takes two to {MOST_RUNS} runs; got {len(names)}: pass --runs seed-1,seed-2")
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise InputError(f"--runs names run {twice[0]!r} twice: name each once")
    return names


def _special(options: FilmRequest) -> dict[str, Any]:
    """Return the options that concern some kinds of film only, with None for those left as they are."""
    named = ("highlight", "perplexity", "prompt", "layer", "head", "step", "text", "control", "runs")
    special = {name: getattr(options, name) for name in named}
    special["metric"] = None if options.metric == "euclidean" else options.metric
    special["no-trust"] = None if options.trust else True
    return special


def film_name(options: FilmRequest) -> str:
    """Return the name of the film's files: what, how and which of it, and the theme unless it is the light one."""
    from viz.output import prompt_slug, slug

    is_table = options.what in ("positions", "tokens")
    which = [options.method, *(slug(text) for text in options.highlight)] if is_table else []
    which += ["cosine"] * (options.metric == "cosine") + ["bold"] * (not options.trust)
    which += [f"control-{options.control}"] if options.control else []
    which += [f"runs-{prompt_slug(options.runs)}"] if options.runs else []
    which += [
        f"{name}-{at}"
        for name, at in (("layer", options.layer), ("head", options.head), ("step", options.step))
        if at is not None
    ]
    prompt = [prompt_slug(options.prompt)] if options.prompt else []
    theme = [] if options.theme == "light" else [options.theme]
    return "-".join([options.what, *which, *prompt, *theme])


def _encode(film: Picture, timeline: Timeline, paths: list[Path], size: Size, client: Any = None) -> None:
    """Draw every frame once and send it to all files; a file is there when it is complete."""
    from data.progress import progress_bar
    from viz.films.encode import encoder, write_film
    from viz.films.parallel_frames import frames_of

    frames = frames_of(film, timeline, client)  # before anything is drawn: a drawn canvas cannot be sent to workers
    last = timeline.n_snapshots - 1.0
    samples = [frame.copy() for frame in film.frames([0.0, last / 2, last])]
    with contextlib.ExitStack() as stack:
        update = stack.enter_context(progress_bar("film", len(timeline), "frame"))
        sinks = [stack.enter_context(encoder(path, size, timeline.fps, samples)) for path in paths]
        for done in write_film(frames, sinks):
            update(done)


if __name__ == "__main__":
    run_command(main, FilmRequest, prog=PROG)
