"""python -m probes: measures of a run as a table, or exported to files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from data.commands import run_command
from data.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from data.runs import Run
    from probes.registry import ProbeRequest

PROG = "python -m probes"
MOST_ROWS = 24


@dataclass(frozen=True)
class ProbeArguments:
    """Measure a run over its snapshots, and print or export what was found.

    Without options: the names of the measures.
    """

    measure: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME"), tyro.conf.UseAppendAction] = ()
    """Compute this measure; may be given again, and all stands for all of them."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    step: int | None = None
    """The step whose values are printed, and written by word2vec and projector; the last if not given."""
    prompt: str | None = None
    """What the model reads, for attention, next-token and lens; the opening of the run's last sample if not given."""
    token: str | None = None
    """Whose neighbours."""
    highlight: Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction] = ()
    """Whose cohesion: labels or group names with commas between, 12,13,14 or vowels. Given again, each is measured by itself."""
    what: Literal["positions", "tokens"] | None = None
    """The table that is highlighted; if not given, positions for whole numbers, and otherwise tokens."""
    metric: Literal["euclidean", "cosine"] = "euclidean"
    """The distance that cohesion is measured by."""
    text: Path | None = None
    """A text file to measure on instead of the run's own corpus (of its validation split, where the model reads it)."""
    seed: int = 0
    """Decides which windows of text and which made sequences are shown, and which groups are drawn."""
    export: str | None = None
    """Formats to write, with commas between: csv, parquet, netcdf, and for tables word2vec, projector."""
    vectors: Path | None = None
    """Read word vectors (word2vec or GloVe text) as a run of one snapshot, named by --run, to be filmed and drawn like any other."""
    limit: int | None = None
    """Read so many rows of the vectors."""
    scheduler: str | None = None
    """Who runs the model: local or local:2 (processes on this machine), or tcp://host:port (both need the extra dask)."""
    out: Path | None = None
    """Folder for the files; the run's own folder exports/ if not given."""


def main(options: ProbeArguments) -> None:
    """Measure; print a table, or write files and say which."""
    from data.runs import open_run
    from probes.export import FORMATS
    from probes.parallel import open_client

    if options.vectors is not None:
        _import_vectors(options)
        return
    if not options.measure:
        _list_measures()
        return
    formats = _formats(options.export, FORMATS)
    names = _names(options)
    run = open_run(options.run)
    if options.step is not None:
        run.snapshot(options.step)  # an unknown step is told before the long work begins, as an unknown name is
    with open_client(options.scheduler):
        for name in names:
            for title, asked in _each_asked(options, name):
                _tell(_measured(run, name, asked), run, name, title, formats=formats, options=options)


def _import_vectors(options: ProbeArguments) -> None:
    from probes.tables.vectors import import_vectors

    if options.measure or options.export:
        raise InputError("--vectors makes a run and nothing else: measure or export it by a second command")
    run = import_vectors(options.vectors or Path(), options.run, options.limit)
    print(
        f"wrote run {run.name} ({run.info['source']['rows']:,} words); draw it with  python -m viz.figures --run {run.name} --only tokens"
    )


def _names(options: ProbeArguments) -> list[str]:
    """Return the names of the measures that are wanted; all leaves out those that lack what they are asked about."""
    from probes.registry import PROBES, check_name

    if "all" not in options.measure:
        return [check_name(name) for name in options.measure]
    lacking = {"neighbours": options.token is None, "cohesion": not options.highlight}
    return [name for name in PROBES if not lacking.get(name)]


def _tell(found: Any, run: Run, name: str, title: str, *, formats: list[str], options: ProbeArguments) -> None:
    """Write what was measured to files and say which, or print it."""
    from probes.export import export

    if formats:
        for path in export(found, options.out or run.path / "exports", title, formats, options.step):
            print(f"wrote {path}")
        return
    _print(found, title, options.step)
    if name == "cohesion":
        _print_sentences(found, options.step)


def _each_asked(options: ProbeArguments, name: str) -> Iterator[tuple[str, ProbeRequest]]:
    """Yield what is asked of a measure, and what it is called: once, or for cohesion once for each highlight."""
    from probes.registry import ProbeRequest, highlighted_table

    asked = ProbeRequest(options.prompt, options.token, options.seed, options.text, metric=options.metric)
    if name != "cohesion" or not options.highlight:
        yield name, asked
        return
    for highlight in options.highlight:
        what = options.what or highlighted_table(highlight)
        metric = [options.metric] if options.metric != "euclidean" else []
        title = "-".join([name, what, _slug(highlight), *metric])
        yield title, dataclasses.replace(asked, highlight=highlight, what=what)


def _slug(highlight: str) -> str:
    """Return a highlight as a part of a file name: letters, digits and dashes, other characters as code points."""
    kept = (c if c.isascii() and c.isalnum() else "-" if c in ", " else f"u{ord(c):04x}" for c in highlight)
    return "".join(kept).strip("-") or "-".join(f"u{ord(c):04x}" for c in highlight)


def _measured(run: Run, name: str, asked: ProbeRequest) -> xr.DataArray | xr.Dataset:
    from data.progress import progress_bar
    from probes.registry import measure

    with progress_bar(name, len(run.manifest()), "snapshot") as update:
        return measure(run, name, dataclasses.replace(asked, progress=update))


def _formats(text: str | None, known: tuple[str, ...]) -> list[str]:
    formats = [part.strip() for part in (text or "").split(",") if part.strip()]
    unknown = [name for name in formats if name not in known]
    if unknown or (text is not None and not formats):
        raise InputError(f"exports are written as {', '.join(known)}; got {text!r}: pass --export csv")
    return formats


def _list_measures() -> None:
    from rich.console import Console
    from rich.table import Table

    from probes.registry import PROBES

    table = Table("measure", "what it tells", "takes", box=None)
    for name, entry in PROBES.items():
        table.add_row(name, entry.about, " ".join(f"--{need}" for need in entry.needs))
    Console().print(table)
    print(f"\nFor example:  {PROG} --measure heads --export csv")


def _print(found: xr.DataArray | xr.Dataset, name: str, step: int | None) -> None:
    """Print a table for each set of dimensions: the values at one step, or those that are one number a step over the steps."""
    from rich.console import Console
    from rich.table import Table

    dataset: Any = found if hasattr(found, "data_vars") else found.to_dataset(name=found.name or name)
    if step is not None and step not in dataset["step"].values:
        raise InputError(f"the snapshot of step {step} is not whole: choose another with --step")
    for dims, variables in _by_dims(dataset):
        names = list(variables)
        at = int(dataset["step"].values[-1] if step is None else step)
        shown = variables.sel(step=at) if dims else variables
        index = dims or ("step",)
        table = Table(*[*index, *map(str, names)], box=None)
        frame = shown[names].to_dataframe()[names].reset_index()
        if dims == ("token",) and len(names) == 1:  # a distribution: the likeliest first
            frame = frame.sort_values(str(names[0]), ascending=False)
        part = frame.head(MOST_ROWS) if dims else frame.tail(MOST_ROWS)  # of the steps, the last
        for row in part.itertuples(index=False):
            table.add_row(*(_cell(value) for value in row))
        console = Console(width=160 if not Console().is_terminal else None)
        console.print(f"\n{name}, step {at:,}" if dims else f"\n{name}", style="bold")
        console.print(table)
        if len(frame) > MOST_ROWS:
            more = "rows more" if dims else "steps before these"
            console.print(f"... and {len(frame) - MOST_ROWS:,} {more}: --export csv writes them all")


def _print_sentences(compared: Any, step: int | None) -> None:
    """Say how close together the group stands at a step, in a line for each null."""
    from probes.groups.wording import comparison_sentence

    print()
    for place in range(compared.sizes["null"]):
        print(comparison_sentence(compared.isel({"null": place}), step, counted=True))


def _by_dims(dataset: xr.Dataset) -> Iterator[tuple[tuple[str, ...], xr.Dataset]]:
    kinds: dict[tuple[str, ...], list[Any]] = {}
    for name, variable in dataset.data_vars.items():
        kinds.setdefault(tuple(str(dim) for dim in variable.dims[1:]), []).append(name)
    for dims, names in kinds.items():
        yield dims, dataset[names]


def _cell(value: Any) -> str:
    from rich.markup import escape

    if isinstance(value, str):
        return escape(repr(value))
    return f"{value:,}" if isinstance(value, Integral) else f"{value:.4f}"


if __name__ == "__main__":
    run_command(main, ProbeArguments, prog=PROG)
