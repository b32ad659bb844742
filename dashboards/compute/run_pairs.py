"""What the page that compares runs asks of probes: the shape of tables, and how alike those of two runs are."""

from __future__ import annotations

import xarray as xr

from dashboards.compute.computation import Computation
from dashboards.compute.queries import Polled, contents
from data.progress import Progress
from data.runs import Run
from probes.tables.geometry import table_shape
from probes.tables.similarity import TablePair, shared_tables, table_similarity


def shape(computation: Computation, run: Run, trajectory: xr.DataArray) -> xr.Dataset:
    """Measure the ranks, cosines and norms of a table over (step,)."""
    return computation.results.get(("shape", *contents(run, trajectory)), lambda: table_shape(trajectory)).value


def shared(computation: Computation, runs: tuple[Run, Run], tables: tuple[xr.DataArray, xr.DataArray]) -> TablePair:
    """Reduce the tables of two runs to what both have."""
    key = ("shared", *(contents(run, table) for run, table in zip(runs, tables, strict=True)))
    return computation.tables.get(key, lambda: shared_tables(*tables)).value


def poll_similarity(computation: Computation, runs: tuple[Run, Run], tables: TablePair, metric: str) -> Polled:
    """Measure the similarity of two tables, see `table_similarity`, or the job that measures it."""
    key = ("similarity", contents(runs[0], tables.one), contents(runs[1], tables.other), metric)

    def measure(progress: Progress) -> xr.Dataset:
        return table_similarity(tables.one, tables.other, metric=metric, progress=progress)

    return computation.background.poll(key, lambda progress: computation.results.get(key, lambda: measure(progress)))
