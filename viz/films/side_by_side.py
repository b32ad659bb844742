"""Pictures side by side: a run and its control, or several runs on what they share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from probes.groups.comparison import GroupComparison, compare_groups
from probes.tables.embeddings import TableName
from viz.grouped_table import GroupedTable, grouped_table, read_grouped_table
from viz.projection.alignment import rotate_onto
from viz.projection.controls import control, with_derived_hashes
from viz.projection.projection_cache import cached_projection

if TYPE_CHECKING:
    from viz.films.kinds import FilmOptions


@dataclass(frozen=True)
class TablePanel:
    """One of the pictures: whose it is, what it shows, and what may be said of its groups."""

    run: Run
    subject: GroupedTable
    projection: xr.Dataset
    comparisons: tuple[GroupComparison, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class SharedTables:
    """What several runs have in common, each reduced to it, and how much was left out: items and steps that not all of them have."""

    subjects: tuple[GroupedTable, ...]
    items_left_out: int
    steps_left_out: int


def single_panel(run: Run, what: TableName, wish: FilmOptions, progress: Progress) -> TablePanel:
    """Lay out the table of one run, and compare the highlighted groups."""
    subject = read_grouped_table(run, what, wish.highlight)
    projection = lay_out(run, subject, wish, progress)
    return TablePanel(
        run, subject, projection, compare_groups(run, subject.trajectory, wish.highlight, metric=wish.metric)
    )


def panels_with_control(run: Run, what: TableName, wish: FilmOptions, progress: Progress) -> list[TablePanel]:
    """Lay out a run and its control, by the same method, seed and parameters."""
    trained = single_panel(run, what, wish, progress)
    fake = replace(trained.subject, trajectory=control(trained.subject.trajectory, str(wish.control), wish.seed))
    projection = lay_out(run, fake, wish, _after(progress, trained.projection.sizes["step"]))
    said = (
        compare_groups(run, fake.trajectory, fake.groups, metric=wish.metric, warn=False) if trained.comparisons else ()
    )
    return [replace(trained, name="trained"), TablePanel(run, fake, projection, said, f"control: {wish.control}")]


def panels_of_runs(
    runs: Sequence[Run], what: TableName, wish: FilmOptions, progress: Progress
) -> tuple[list[TablePanel], SharedTables]:
    """Lay out several runs on what they share, each by itself, and turn all onto the first."""
    tables = [read_grouped_table(run, what) for run in runs]
    shared = shared_tables(tables, [run.name for run in runs], wish.highlight)
    twins: list[TablePanel] = []
    for number, (run, subject) in enumerate(zip(runs, shared.subjects, strict=True)):
        before = number * subject.trajectory.sizes["step"]
        projection = lay_out(run, subject, wish, _after(progress, before))
        if twins:
            projection = turned_onto(projection, twins[0].projection)
        twins.append(
            TablePanel(
                run,
                subject,
                projection,
                compare_groups(run, tables[number].trajectory, wish.highlight, metric=wish.metric),
                run.name,
            )
        )
    return twins, shared


def lay_out(run: Run, subject: GroupedTable, wish: FilmOptions, progress: Progress) -> xr.Dataset:
    """Project a subject as it is wished for; kept on disk with the run."""
    return cached_projection(
        run,
        subject.trajectory,
        wish.method,
        metric=wish.metric,
        seed=wish.seed,
        perplexity=wish.perplexity,
        progress=progress,
    )


def shared_tables(
    subjects: Sequence[GroupedTable], names: Sequence[str], highlights: Sequence[str] = ()
) -> SharedTables:
    """Reduce subjects to the items that all of them have, by label, and to the steps at which all have a snapshot.

    Parameters
    ----------
    subjects : of two runs or more, all positions or all tokens.
    names : the runs' names, for what is said where they share nothing.
    highlights : as ``--highlight`` takes them; they have to name shared items.

    Returns
    -------
    The subjects with the items of the first, in its order. One that lost items has other ``sha256``: its layout is not that of its run.

    Raises
    ------
    InputError
        No items, or no steps, that all have; a highlight that names none of those shared.
    """
    what, first = subjects[0].what, subjects[0]
    labels = [label for label in first.labels if all(label in subject.labels for subject in subjects[1:])]
    steps = [subject.trajectory["step"].values for subject in subjects]
    common = sorted(set.intersection(*({int(step) for step in some} for some in steps)))
    told = " and ".join(names)
    if not labels:
        raise InputError(f"runs {told} share no {what}: film runs that read the same kind of text")
    if not common:
        raise InputError(f"runs {told} have no step in common at which both kept a snapshot: choose other runs")
    every = {label for subject in subjects for label in subject.labels}
    every_step = {int(step) for some in steps for step in some}
    reduced = tuple(
        grouped_table(_reduced(subject.trajectory, labels, common), what, highlights) for subject in subjects
    )
    return SharedTables(reduced, len(every) - len(labels), len(every_step) - len(common))


def turned_onto(projection: xr.Dataset, reference: xr.Dataset) -> xr.Dataset:
    """Turn or mirror a whole film so that its last step lies as near as can be to that of another; it is not scaled.

    Parameters
    ----------
    projection, reference : ``layout`` (step, item, axis). Items of the same label decide how far to turn; the others turn with them.
    """
    mine, theirs = _places_of_shared(projection, reference)
    ends = projection["layout"].values[-1][mine], reference["layout"].values[-1][theirs]
    own, other = (end - end.mean(axis=0) for end in ends)
    # A turn that brings the axes onto own.T @ other brings own onto other: both are decided by the same singular vectors.
    turn = rotate_onto(np.eye(own.shape[1]), own.T @ other)
    return projection.assign(layout=projection["layout"].copy(data=projection["layout"].values @ turn))


def shared_labels(projection: xr.Dataset, reference: xr.Dataset) -> list[str]:
    """Return the labels of the items that both have, in the order of the first."""
    labels = [[str(label) for label in film[film["layout"].dims[1]].values] for film in (projection, reference)]
    known = set(labels[1])
    return [label for label in dict.fromkeys(labels[0]) if label in known]


def _places_of_shared(*films: xr.Dataset) -> list[list[int]]:
    """Return where the items that both films have stand in each."""
    shared, found = shared_labels(*films), []
    for film in films:
        place = {str(label): i for i, label in reversed(list(enumerate(film[film["layout"].dims[1]].values)))}
        found.append([place[label] for label in shared])
    return found


def _reduced(trajectory: xr.DataArray, labels: list[str], steps: list[int]) -> xr.DataArray:
    item = str(trajectory.dims[1])
    place = {str(label): i for i, label in enumerate(trajectory[item].values)}
    chosen = [place[label] for label in labels]
    reduced = trajectory.sel(step=steps)
    if chosen == list(range(trajectory.sizes[item])):
        return reduced
    digest = hashlib.sha256("\0".join(labels).encode()).hexdigest()
    return with_derived_hashes(reduced.isel({item: chosen}), f"{item}s {digest}")


def _after(progress: Progress, before: int) -> Progress:
    return lambda done, *more: progress(before + done, *more)
