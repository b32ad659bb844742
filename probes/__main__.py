"""python -m probes: measures of a run as a table, or exported to files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from numbers import Integral
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data.commands import run_command
from data.errors import InputError
from data.runs.names import step_label
from probes.groups.naming import split_highlight
from probes.groups.symbols import display
from probes.registry import PROBES, ProbeRequest, highlighted_table, measure

if TYPE_CHECKING:
    import xarray as xr

    from data.runs import Run

PROG = "python -m probes"
MOST_ROWS = 24


def main(request: ProbeRequest) -> None:
    """Measure a run, and print tables or write files and name them."""
    from data.progress import progress_bar
    from data.runs import open_run
    from probes.parallel import open_client

    request.validate()
    if request.vectors is not None:
        from probes.tables.vectors import import_vectors

        run = import_vectors(request.vectors, request.run, request.limit)
        draw = f"python -m viz.figures --run {run.name} --only tokens"
        print(f"wrote run {run.name} ({run.info['source']['rows']:,} words); draw it with  {draw}")
        return
    if not request.measure:
        _list_measures()
        return
    run = open_run(request.run)
    if request.step is not None:
        run.snapshot(request.step)  # an unknown step is refused before the long work starts
    with open_client(request.scheduler):
        for name in request.probes:
            for title, single in _each_highlight(request, name):
                with progress_bar(name, len(run.manifest()), "snapshot") as update:
                    found = measure(run, name, single, progress=update)
                _show(found, run, name, title, request)


def _show(found: Any, run: Run, name: str, title: str, request: ProbeRequest) -> None:
    """Write a result to files and name them, or print it."""
    from probes.export import export_files
    from probes.groups.wording import comparison_sentence

    if request.formats:
        for path in export_files(found, request.out or run.inside("exports"), title, request.formats, request.step):
            print(f"wrote {path}")
        return
    _print(found, title, request.step)
    if name == "cohesion":
        print()
        for place in range(found.sizes["null"]):
            print(comparison_sentence(found.isel({"null": place}), request.step, counted=True))


def _each_highlight(request: ProbeRequest, name: str) -> Iterator[tuple[str, ProbeRequest]]:
    """Yield a title and a request for each measurement: one, but for cohesion one for each highlight."""
    if name != "cohesion":
        yield name, request
        return
    metric = [request.metric] if request.metric != "euclidean" else []
    for text in request.highlight:
        groups = split_highlight(text)
        for highlight in groups if len(groups) > 1 else [text]:  # a space around the only group may belong to a token
            what = request.what or highlighted_table(highlight)
            title = "-".join([name, what, _slug(highlight), *metric])
            yield title, dataclasses.replace(request, highlight=(highlight,), what=what)


def _slug(highlight: str) -> str:
    """Write a highlight as a part of a file name: letters, digits and dashes, other characters as code points."""
    kept = (c if c.isascii() and c.isalnum() else "-" if c in ", " else f"u{ord(c):04x}" for c in highlight)
    return "".join(kept).strip("-") or "-".join(f"u{ord(c):04x}" for c in highlight)


def _list_measures() -> None:
    table = Table("measure", "what it tells", "takes", box=None)
    for name, kind in PROBES.items():
        table.add_row(name, kind.label, " ".join(f"--{field}" for field in kind.fields))
    Console().print(table)
    print(f"\nFor example:  {PROG} --measure heads --export csv")


def _print(found: xr.DataArray | xr.Dataset, name: str, step: int | None) -> None:
    """Print a table for each set of dimensions: values at one step, or over the steps where there is one number a step."""
    dataset: Any = found if hasattr(found, "data_vars") else found.to_dataset(name=found.name or name)
    if step is not None and step not in dataset["step"].values:
        raise InputError(f"the snapshot of step {step} is not whole: choose another with `step`")
    unknown = dataset["step"].attrs.get("unknown", "")
    by_dims: dict[tuple[str, ...], list[Any]] = {}
    for variable, values in dataset.data_vars.items():
        by_dims.setdefault(tuple(map(str, values.dims[1:])), []).append(variable)
    for dims, names in by_dims.items():
        at = int(dataset["step"].values[-1] if step is None else step)
        shown = dataset[names].sel(step=at) if dims else dataset[names]
        table = Table(*(dims or ("step",)), *map(str, names), box=None)
        frame = shown.to_dataframe()[names].reset_index()
        if dims == ("token",) and len(names) == 1:  # a distribution: the most probable first
            frame = frame.sort_values(str(names[0]), ascending=False)
        part = frame.head(MOST_ROWS) if dims else frame.tail(MOST_ROWS)  # of the steps, the last
        for row in part.itertuples(index=False):
            first = [] if dims else [step_label(row[0], unknown) if unknown else _cell(row[0])]
            table.add_row(*first, *(_cell(value) for value in row[len(first) :]))
        console = Console(width=160 if not Console().is_terminal else None)
        console.print(f"\n{name}, {step_label(at, unknown)}" if dims else f"\n{name}", style="bold")
        console.print(table)
        if len(frame) > MOST_ROWS:
            more = "rows more" if dims else "steps before these"
            console.print(f"... and {len(frame) - MOST_ROWS:,} {more}: --export csv writes them all")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        is_plain = display(value, keep=" \n\t\r") == value
        return escape(repr(value) if is_plain else f"'{display(value, keep=' ')}'")
    return f"{value:,}" if isinstance(value, Integral) else f"{value:z.4f}"


if __name__ == "__main__":
    run_command(main, ProbeRequest, prog=PROG)
