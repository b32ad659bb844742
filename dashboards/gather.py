"""What pages ask of probes and projections, kept while the run does not change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dashboards.shelf import snapshots_stamp, stamp
from dashboards.store import Found, Store
from data.runs import Run
from viz.projection_cache import cached_projection, is_on_disk
from viz.subject import read_subject

Progress = Callable[[int], None]
Table = Literal["tokens", "positions"]

# A table of 5,000 tokens over 58 snapshots takes 150 MB, its layout three, attention of a small model one.
_tables = Store(most=4)
_results = Store(most=24)

NEIGHBOURS = 5
# Beyond so many items, the neighbours of all of them at all steps are not computed, only those of the item asked for.
MOST_FOR_ALL_NEIGHBOURS = 600


def table(run: Run, what: Table, progress: Progress | None = None) -> Found[xr.DataArray]:
    """Return a table over all whole snapshots, (step, token or position, dim)."""
    key = ("table", run.path, snapshots_stamp(run), what)
    return _tables.get(key, lambda: read_subject(run, what, progress=progress).trajectory)


def projection(
    run: Run,
    trajectory: xr.DataArray,
    method: str,
    *,
    n_axes: int = 2,
    metric: str = "euclidean",
    progress: Progress | None = None,
) -> Found[xr.Dataset]:
    """Return the layout of a table with its fidelity, computed once and kept on disk beside the run."""
    return _results.get(
        _layout_key(run, trajectory, method, n_axes, metric),
        lambda: cached_projection(run, trajectory, method, n_axes=n_axes, metric=metric, progress=progress),
    )


def is_kept(run: Run, trajectory: xr.DataArray, method: str, n_axes: int, metric: str) -> bool:
    """Say whether a layout needs no computing: it is at hand, or on disk beside the run."""
    key = _layout_key(run, trajectory, method, n_axes, metric)
    return key in _results or is_on_disk(run, trajectory, method, n_axes=n_axes, metric=metric)


def _layout_key(run: Run, trajectory: xr.DataArray, method: str, n_axes: int, metric: str) -> tuple[Any, ...]:
    return ("layout", *_of(run, trajectory), method, n_axes, metric)


def all_neighbours(run: Run, trajectory: xr.DataArray, metric: str) -> NDArray[np.uint16] | None:
    """Return the nearest items of every item at every step in the full space, (step, item, k); None for large tables."""
    if trajectory.shape[1] > MOST_FOR_ALL_NEIGHBOURS:
        return None
    key = ("near", *_of(run, trajectory), metric)
    return _results.get(key, lambda: _nearest(trajectory, metric)).value


def group_cohesion(run: Run, what: Table, group: str, trajectory: xr.DataArray, metric: str) -> Found[xr.Dataset]:
    """Compare a highlighted group with its nulls in the full space."""
    from probes.cohesion import group_cohesion as compare

    key = ("cohesion", *_of(run, trajectory), group, metric)
    return _results.get(key, lambda: compare(run, what, group, metric=metric, trajectory=trajectory))


def attention(run: Run, prompt: str, progress: Progress | None = None) -> Found[xr.DataArray]:
    """Return the attention maps of a prompt, (step, layer, head, query, key)."""
    from probes.attention import attention_maps

    key = ("attention", run.path, snapshots_stamp(run), prompt)
    return _results.get(key, lambda: attention_maps(run, prompt, progress=progress))


def head_scores(run: Run, progress: Progress | None = None) -> Found[xr.Dataset]:
    """Return the scores of every head, each (step, layer, head)."""
    from probes.heads import head_scores as scores

    key = ("scores", run.path, snapshots_stamp(run))
    return _results.get(key, lambda: scores(run, progress=progress))


def next_token(run: Run, prompt: str, progress: Progress | None = None) -> Found[xr.DataArray]:
    """Return the model's bets on the token after a prompt, (step, token)."""
    from probes.logits import next_token_distribution

    key = ("next", run.path, snapshots_stamp(run), prompt)
    return _results.get(key, lambda: next_token_distribution(run, prompt, progress=progress))


def samples(run: Run) -> list[dict[str, Any]]:
    """Return the texts that training sampled."""
    return _results.get(("samples", run.path, stamp(run)), run.samples).value


def metrics(run: Run) -> list[dict[str, Any]]:
    """Return what training measured."""
    return _results.get(("metrics", run.path, stamp(run)), run.metrics).value


def steps_of(array: xr.DataArray | xr.Dataset) -> list[int]:
    """Return the steps of a trajectory as plain numbers."""
    return [int(step) for step in array["step"].values]


def _of(run: Run, trajectory: xr.DataArray) -> tuple[Any, ...]:
    """Return what tells a table's content from others': the snapshots' hashes stand for the run's bytes."""
    return run.path, str(trajectory.dims[1]), tuple(str(digest) for digest in trajectory["sha256"].values)


def _nearest(trajectory: xr.DataArray, metric: str) -> NDArray[np.uint16]:
    from sklearn.neighbors import NearestNeighbors

    k = min(NEIGHBOURS, trajectory.shape[1] - 1)
    found = [
        NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(table).kneighbors(return_distance=False)
        for table in np.nan_to_num(trajectory.values)
    ]
    return np.array(found, dtype=np.uint16)


def neighbours_of(
    trajectory: xr.DataArray, item: int, step: int, metric: str, k: int = 10
) -> Sequence[tuple[int, float]]:
    """Return the items nearest to one of them at a step in the full space, with their distances, nearest first."""
    from sklearn.metrics import pairwise_distances

    at = trajectory.sel(step=step).values
    distances = pairwise_distances(at[item : item + 1], at, metric=metric)[0]
    order = [int(i) for i in np.argsort(distances, kind="stable") if i != item][:k]
    return [(i, float(distances[i])) for i in order]
