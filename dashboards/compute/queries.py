"""What pages ask of probes and projections, kept while the run does not change."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dashboards.compute.background_jobs import BackgroundJob, look
from dashboards.compute.live_runs import digests_of, latest, measured
from dashboards.compute.result_cache import Result, ResultCache
from dashboards.state.run_list import snapshots_stamp, stamp
from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from probes.groups.naming import Group
from probes.tables.embeddings import TableName
from trainer.config import described_model
from trainer.generation.filters import Decoding
from viz.grouped_table import read_grouped_table
from viz.projection.projection_cache import cached_projection, is_cached
from viz.projection.projector import project

# A table of 5,000 tokens over 58 snapshots takes 150 MB, its layout three, attention of a small model one.
_tables = ResultCache(most=4)
_results = ResultCache(most=24)
_maps = ResultCache(most=6)

# Of a large group fewer others are drawn to compare it with, so that no more distances are added up than this.
MOST_DISTANCES, FEWEST_DRAWS, MOST_COMPARED = 10**9, 199, 500

NEIGHBOURS = 5
# Beyond so many items, the neighbours of all of them at all steps are not computed, only those of the item asked for.
MOST_FOR_ALL_NEIGHBOURS = 600
# Attention maps of one prompt at all snapshots are held to 16 MB, in which a click or two of the slider is still answered at once.
MOST_CELLS = 8_000_000
MOST_BETS = 24
WORTH_THREADS = 5_000_000  # parameters


def table(run: Run, what: TableName, progress: Progress | None = None) -> Result[xr.DataArray]:
    """Return a table over all whole snapshots, (step, token or position, dim)."""
    key = ("table", run.path, snapshots_stamp(run), what)
    return _tables.get(key, lambda: read_grouped_table(run, what, progress=progress).trajectory)


def projection(
    run: Run,
    trajectory: xr.DataArray,
    method: str,
    *,
    n_axes: int = 2,
    metric: str = "euclidean",
    progress: Progress | None = None,
) -> Result[xr.Dataset]:
    """Return the layout of a table with its fidelity, computed once and kept on disk beside the run."""
    return _results.get(
        _layout_key(run, trajectory, method, n_axes, metric),
        lambda: cached_projection(run, trajectory, method, n_axes=n_axes, metric=metric, progress=progress),
    )


def quick_layout(
    run: Run, trajectory: xr.DataArray, *, n_axes: int = 2, metric: str = "euclidean"
) -> Result[xr.Dataset]:
    """Return the layout by PCA without saying how far it may be believed, which of thousands of items takes a second, not minutes."""
    key = (*_layout_key(run, trajectory, "pca", n_axes, metric), "not judged")
    return _results.get(key, lambda: project(trajectory, "pca", n_axes=n_axes, metric=metric, with_fidelity=False))


def is_kept(run: Run, trajectory: xr.DataArray, method: str, n_axes: int, metric: str) -> bool:
    """Say whether a layout needs no computing: it is at hand, or on disk beside the run."""
    key = _layout_key(run, trajectory, method, n_axes, metric)
    return key in _results or is_cached(run, trajectory, method, n_axes=n_axes, metric=metric)


def _layout_key(run: Run, trajectory: xr.DataArray, method: str, n_axes: int, metric: str) -> tuple[Any, ...]:
    return ("layout", *_of(run, trajectory), method, n_axes, metric)


def all_neighbours(run: Run, trajectory: xr.DataArray, metric: str) -> NDArray[np.uint16] | None:
    """Return the nearest items of every item at every step in the full space, (step, item, k); None for large tables."""
    if trajectory.shape[1] > MOST_FOR_ALL_NEIGHBOURS:
        return None
    key = ("near", *_of(run, trajectory), metric)
    return _results.get(key, lambda: _nearest(trajectory, metric)).value


def group_cohesion(
    run: Run, what: TableName, group: Group, trajectory: xr.DataArray, metric: str
) -> Result[xr.Dataset] | BackgroundJob[Result[xr.Dataset]]:
    """Compare a highlighted group with its nulls in the full space; of a large table that takes minutes, and is seen under way."""
    if len(group.members) > MOST_COMPARED:
        raise InputError(
            f"{len(group.members)} items are too many to compare with chance here: highlight {MOST_COMPARED} or fewer"
        )
    key = ("cohesion", *_of(run, trajectory), group, metric)
    return look(key, lambda progress: _results.get(key, lambda: _compared(run, what, group, trajectory, metric)))


def _compared(run: Run, what: TableName, group: Group, trajectory: xr.DataArray, metric: str) -> xr.Dataset:
    from probes.groups.cohesion import group_cohesion as compare
    from probes.groups.nulls import DRAWS

    size = len(group.members)
    pairs = max(1, size * (size - 1) // 2 * trajectory.shape[0])
    draws = min(DRAWS, max(FEWEST_DRAWS, MOST_DISTANCES // pairs))
    return compare(run, what, group, metric=metric, trajectory=trajectory, draws=draws)


@dataclass(frozen=True)
class Cells:
    """Attention maps as they are sent to the browser.

    ``weights`` (step, layer, head, cell): uint16, 65535 for a weight of 1; a map's cells up to the diagonal, row by row.
    """

    weights: NDArray[np.uint16]
    tokens: tuple[str, ...]
    steps: tuple[int, ...]


Head = tuple[int, int]
"""Layer and head."""


def attention(run: Run, prompt: str, head: Head | None = None, progress: Progress | None = None) -> Result[Cells]:
    """Return the attention maps of a prompt, of all heads or of one."""
    what = ("attention", prompt, head)
    return measured(_maps, what, run, lambda part, done: _cells(part, prompt, head, done), _joined, progress)


def most_tokens(run: Run, n_heads: int | None = None) -> int:
    """Return of how many tokens the maps of all heads, or of some, may be sent, lest the page should stall or memory run out."""
    shape = described_model(run)
    n_maps = max(1, len(run.manifest())) * (n_heads or shape.n_layer * shape.n_head)
    return max(2, int((2 * MOST_CELLS / n_maps) ** 0.5))


def set_threads(run: Run) -> None:
    """Let PyTorch compute in this thread with as many threads as the run's model is worth.

    A small model gains nothing by a second one, and where other programs want the cores, too, loses all to waiting for it.
    """
    import torch

    is_large = run.info.get("parameters", 0) >= WORTH_THREADS
    torch.set_num_threads((os.cpu_count() or 1) if is_large else 1)


def _cells(run: Run, prompt: str, head: Head | None, progress: Progress | None) -> Cells:
    from probes.models.attention import attention_maps

    set_threads(run)
    maps = attention_maps(run, prompt, head=head, progress=progress).transpose("step", "layer", "head", "query", "key")
    rows, columns = np.tril_indices(maps.sizes["query"])
    weights = np.empty((*maps.shape[:3], len(rows)), dtype=np.uint16)
    for i in range(len(weights)):  # one step at a time: large maps lie in a file
        weights[i] = np.rint(np.clip(maps.values[i][..., rows, columns], 0, 1) * 65535)
    weights.flags.writeable = False
    return Cells(weights, tuple(str(token) for token in maps["query_token"].values), tuple(steps_of(maps)))


def _joined(earlier: Cells, later: Cells) -> Cells:
    weights = np.concatenate([earlier.weights, later.weights])
    weights.flags.writeable = False
    return Cells(weights, earlier.tokens, earlier.steps + later.steps)


def head_scores(run: Run, progress: Progress | None = None) -> Result[xr.Dataset]:
    """Return the scores of every head, each (step, layer, head)."""
    from probes.models.heads import head_scores as scores

    def measure(part: Run, done: Progress | None) -> xr.Dataset:
        set_threads(run)
        return scores(part, progress=done)

    return measured(_results, ("scores",), run, measure, _later, progress)


def scores_so_far(run: Run) -> Result[xr.Dataset] | None:
    """Return the scores as they were last known, perhaps of fewer snapshots than there are by now; None if there are none."""
    known = latest(run, ("scores",))
    return known[1] if known else None


def zero_shot(run: Run, progress: Progress | None = None) -> Result[xr.Dataset]:
    """Return how often the model tells which of four lines comes next, (step)."""
    from probes.models.zero_shot import zero_shot as asked

    def measure(part: Run, done: Progress | None) -> xr.Dataset:
        set_threads(run)
        return asked(part, progress=done)

    return measured(_results, ("zero-shot",), run, measure, _later, progress)


@dataclass(frozen=True)
class Bets:
    """The tokens that lead among a model's bets at the last snapshot or at any other, of ``n_tokens`` there are.

    ``probabilities`` (step, token), float32.
    """

    probabilities: NDArray[np.float32]
    tokens: tuple[str, ...]
    steps: tuple[int, ...]
    n_tokens: int


def next_token(run: Run, prompt: str, progress: Progress | None = None) -> Result[xr.DataArray]:
    """Return the model's bets on the token after a prompt, (step, token)."""
    from probes.models.logits import next_token_distribution as bets

    def measure(part: Run, done: Progress | None) -> xr.DataArray:
        set_threads(run)
        return bets(part, prompt, progress=done)

    return measured(_maps, ("next", prompt), run, measure, _later, progress)


def leading_bets(run: Run, prompt: str, progress: Progress | None = None) -> Result[Bets]:
    """Return the tokens that lead among the model's bets on what follows a prompt."""
    key = ("bets", run.path, digests_of(run), prompt)
    return _results.get(key, lambda: bets_of(next_token(run, prompt, progress).value))


def leading_draws(run: Run, prompt: str, decoding: Decoding) -> Result[Bets]:
    """Return what the tokens of `leading_bets` are drawn with: the bets after temperature and filters."""
    from probes.models.decoding import apply_decoding

    def draws() -> Bets:
        bets = next_token(run, prompt).value
        return bets_of(apply_decoding(bets, decoding), leading_of(bets))

    return _results.get(("draws", run.path, digests_of(run), prompt, decoding), draws)


def bets_of(distribution: xr.DataArray, leading: Sequence[int] | None = None) -> Bets:
    """Return the tokens that lead a distribution (step, token), or those with the numbers given."""
    values = distribution.transpose("step", "token").values
    leading = leading_of(distribution) if leading is None else leading
    tokens = tuple(str(distribution["token"].values[i]) for i in leading)
    return Bets(values[:, leading].astype(np.float32), tokens, tuple(steps_of(distribution)), values.shape[1])


def leading_of(distribution: xr.DataArray) -> list[int]:
    """Return the numbers of the tokens that lead a distribution (step, token) at its last step or at any."""
    values = distribution.transpose("step", "token").values
    last, ever = (np.argsort(-p, kind="stable") for p in (values[-1], values.max(axis=0)))
    # The leaders of the last snapshot and those of any, by turns: however few fit, both are among them.
    return list(dict.fromkeys(int(i) for pair in zip(last, ever, strict=True) for i in pair))[:MOST_BETS]


def _later(earlier: Any, later: Any) -> Any:
    return xr.concat(
        [earlier, later], dim="step", join="exact", combine_attrs="override", coords="minimal", compat="override"
    )


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
    run: Run, trajectory: xr.DataArray, item: int, metric: str, k: int = 10
) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Return the items nearest to one of them in the full space at every step, nearest first, and their distances: both (step, rank)."""
    key = ("near one", *_of(run, trajectory), metric, item)
    return _results.get(key, lambda: _nearest_to(trajectory, item, metric, min(k, trajectory.shape[1] - 1))).value


def _nearest_to(
    trajectory: xr.DataArray, item: int, metric: str, k: int
) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    from sklearn.metrics import pairwise_distances

    items, distances = [], []
    for table in trajectory.values:
        far = pairwise_distances(table[item : item + 1], table, metric=metric)[0]
        far[item] = np.inf
        order = np.argsort(far, kind="stable")[:k]
        items.append(order)
        distances.append(far[order])
    return np.array(items, dtype=np.uint16 if trajectory.shape[1] <= 2**16 else np.uint32), np.array(
        distances, dtype=np.float32
    )
