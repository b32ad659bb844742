"""Panels side by side: a run and its control, or several runs on the items and steps that they share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from data.errors import InputError
from data.language import say
from data.progress import Progress
from data.runs import Run
from probes.groups.comparison import Findings, GroupComparison, find
from viz.grouped_table import GroupedTable, grouped_table, item_labels, read_grouped_table, table_name
from viz.projection.alignment import rotate_onto
from viz.projection.controls import control, with_derived_hashes
from viz.projection.projection_cache import cached_projection
from viz.request import FilmRequest, Highlight


@dataclass(frozen=True)
class TablePanel:
    """One of the pictures side by side: a table of a run, its layout, and what was found in the table."""

    run: Run
    table: GroupedTable
    projection: xr.Dataset
    findings: Findings
    name: str = ""

    @property
    def comparisons(self) -> tuple[GroupComparison, ...]:
        """The sentences about the order of the positions and about each group."""
        return self.findings.comparisons


@dataclass(frozen=True)
class SharedTables:
    """The tables of several runs, reduced to the items and steps that all of them have, and how many of either were left out."""

    tables: tuple[GroupedTable, ...]
    items_left_out: int
    steps_left_out: int


def single_panel(run: Run, request: FilmRequest, progress: Progress) -> TablePanel:
    """Lay out the table of one run, and test what its picture shows."""
    table = _read(run, request)
    projection = lay_out(run, table, request, progress)
    return TablePanel(run, table, projection, _find(run, table, request))


def panels_with_control(run: Run, request: FilmRequest, progress: Progress) -> list[TablePanel]:
    """Lay out a run and its control, by the same method, seed and parameters."""
    trained = single_panel(run, request, progress)
    vectors = control(trained.table.trajectory, str(request.control), request.seed)
    table = replace(trained.table, trajectory=vectors)
    projection = lay_out(run, table, request, _after(progress, trained.projection.sizes["step"]))
    found = _find(run, table, request, warn=False)
    name = say("control (shuffled)" if request.control == "shuffled" else "control (init)")
    name += f": {found.title_in_short}" if found.claims else ""
    beside = TablePanel(run, table, projection, found, name)
    return [replace(trained, name=say("trained")), beside]


def panels_of_runs(
    runs: Sequence[Run], request: FilmRequest, progress: Progress
) -> tuple[list[TablePanel], SharedTables]:
    """Lay out several runs on the items and steps they share, each by itself, and turn all onto the first."""
    own = [_read(run, request) for run in runs]
    shared = shared_tables(own, [run.name for run in runs], request.highlight)
    panels: list[TablePanel] = []
    for number, (run, table) in enumerate(zip(runs, shared.tables, strict=True)):
        before = number * table.trajectory.sizes["step"]
        projection = lay_out(run, table, request, _after(progress, before))
        if panels:
            projection = turned_onto(projection, panels[0].projection)
        panels.append(TablePanel(run, table, projection, _find(run, own[number], request), run.name))
    return panels, shared


def lay_out(run: Run, table: GroupedTable, request: FilmRequest, progress: Progress) -> xr.Dataset:
    """Project a table as the request says; the layout is kept on disk with the run."""
    fields = ("metric", "seed", "perplexity", "device")
    settings: dict[str, Any] = {name: getattr(request, name) for name in fields}
    return cached_projection(run, table.trajectory, request.method, **settings, progress=progress)


def _read(run: Run, request: FilmRequest) -> GroupedTable:
    limits: dict[str, Any] = {"items": request.items, "text": request.text}
    return read_grouped_table(run, table_name(request.what), request.highlight, **limits)


def _find(run: Run, table: GroupedTable, request: FilmRequest, *, warn: bool = True) -> Findings:
    """Test the order of the positions, and the groups of a table against their nulls."""
    return find(run, table.trajectory, table.groups, table.classes, metric=request.metric, warn=warn)


def shared_tables(tables: Sequence[GroupedTable], names: Sequence[str], highlight: Highlight = ()) -> SharedTables:
    """Reduce tables to the items that all of them have, by label, and to the steps at which all have a snapshot.

    Parameters
    ----------
    tables : of two runs or more, all of positions or all of tokens.
    names : the runs' names, for messages.
    highlight : groups that name shared items.

    Returns
    -------
    The tables with the items of the first, in its order. One that lost items has another ``sha256``, since its layout is not that of
    its run.

    Raises
    ------
    InputError
        No items, or no steps, that all have; a highlight that names none of those shared.
    """
    what, first = tables[0].what, tables[0]
    labels = [label for label in first.labels if all(label in table.labels for table in tables[1:])]
    steps = [table.trajectory["step"].values for table in tables]
    common = sorted(set.intersection(*({int(step) for step in some} for some in steps)))
    runs = " and ".join(names)
    if not labels:
        raise InputError(f"runs {runs} share no {what}: film runs that read the same kind of text")
    if not common:
        raise InputError(f"runs {runs} have no step in common at which both kept a snapshot: choose other runs")
    every = {label for table in tables for label in table.labels}
    every_step = {int(step) for some in steps for step in some}
    reduced = tuple(grouped_table(_reduced(table.trajectory, labels, common), what, highlight) for table in tables)
    return SharedTables(reduced, len(every) - len(labels), len(every_step) - len(common))


def turned_onto(projection: xr.Dataset, reference: xr.Dataset) -> xr.Dataset:
    """Rotate or mirror the layouts of all steps so that the last lies as near as possible to that of another film; nothing is scaled.

    Parameters
    ----------
    projection, reference : ``layout`` (step, item, axis). Items of the same label decide on the rotation; the others follow.
    """
    mine, theirs = _places_of_shared(projection, reference)
    ends = projection["layout"].values[-1][mine], reference["layout"].values[-1][theirs]
    own, other = (end - end.mean(axis=0) for end in ends)
    # The rotation that brings the axes onto own.T @ other brings own onto other: both follow from the same singular vectors.
    turn = rotate_onto(np.eye(own.shape[1]), own.T @ other)
    return projection.assign(layout=projection["layout"].copy(data=projection["layout"].values @ turn))


def shared_labels(projection: xr.Dataset, reference: xr.Dataset) -> list[str]:
    """List the labels of the items that both have, in the order of the first."""
    known = set(item_labels(reference["layout"]))
    return [label for label in dict.fromkeys(item_labels(projection["layout"])) if label in known]


def _places_of_shared(*films: xr.Dataset) -> list[list[int]]:
    """Find the indices in each film of the items that both have."""
    shared, found = shared_labels(*films), []
    for film in films:
        place = {label: i for i, label in reversed(list(enumerate(item_labels(film["layout"]))))}
        found.append([place[label] for label in shared])
    return found


def _reduced(trajectory: xr.DataArray, labels: list[str], steps: list[int]) -> xr.DataArray:
    item = str(trajectory.dims[1])
    place = {label: i for i, label in enumerate(item_labels(trajectory))}
    chosen = [place[label] for label in labels]
    reduced = trajectory.sel(step=steps)
    if chosen == list(range(trajectory.sizes[item])):
        return reduced
    digest = hashlib.sha256("\0".join(labels).encode()).hexdigest()
    return with_derived_hashes(reduced.isel({item: chosen}), f"{item}s {digest}")


def _after(progress: Progress, before: int) -> Progress:
    return lambda done, *more: progress(before + done, *more)
