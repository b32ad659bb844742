"""What pages ask of probes and projections. Results are cached in a `Computation` until the run changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dashboards.compute.background_jobs import BackgroundJob
from dashboards.compute.computation import Computation
from dashboards.compute.live_runs import digests_of
from dashboards.compute.result_cache import CachedResult, ResultCache, Value
from dashboards.state.run_list import stamp
from data.errors import InputError
from data.free_cores import free_cores
from data.progress import Progress
from data.runs import Run
from probes.groups.naming import Group
from probes.tables.embeddings import TableName, read_table
from probes.tables.neighbours import neighbours_of_all, neighbours_of_one
from trainer.config import described_model
from trainer.generation.filters import Decoding
from viz.player.serialization import quantize_causal_maps
from viz.projection.projection_cache import cached_projection
from viz.projection.projection_cache import is_cached as is_on_disk
from viz.projection.projector import project

# A large group is compared with fewer null groups, so that about this many distances are summed.
MOST_DISTANCES, FEWEST_DRAWS, MOST_COMPARED = 10**9, 199, 500

# For larger tables, neighbours are computed only for the item that was clicked.
MOST_FOR_ALL_NEIGHBOURS = 600
# The attention maps of a prompt at all snapshots take at most 16 MB, so that the slider answers at once after a click or two.
MOST_CELLS = 8_000_000
WORTH_THREADS = 5_000_000  # parameters

Head = tuple[int, int]
"""Layer and head."""

Polled = CachedResult[xr.Dataset] | BackgroundJob[CachedResult[xr.Dataset]]
"""A result, or the job that computes it."""


def table(
    computation: Computation, run: Run, what: TableName, progress: Progress | None = None
) -> CachedResult[xr.DataArray]:
    """Read an embedding table at all whole snapshots, (step, token or position, dim)."""
    version = stamp(run)[:4]  # not the records of its metrics and samples
    return computation.tables.get(("table", run.path, what), lambda: read_table(run, what, progress=progress), version)


def projection(
    computation: Computation,
    run: Run,
    trajectory: xr.DataArray,
    method: str,
    *,
    n_axes: int = 2,
    metric: str = "euclidean",
    progress: Progress | None = None,
) -> CachedResult[xr.Dataset]:
    """Project a table, with the fidelity of its layout; the result is also cached on disk beside the run.

    ``progress`` counts every snapshot twice: when it has been laid out, and when its fidelity has been measured.
    """
    n_steps = trajectory.sizes["step"]
    second = None if progress is None else lambda done, note="": progress(n_steps + done, note)
    return computation.results.get(
        _layout_key(run, trajectory, method, n_axes, metric),
        lambda: cached_projection(
            run, trajectory, method, n_axes=n_axes, metric=metric, progress=progress, fidelity_progress=second
        ),
    )


def poll_projection(
    computation: Computation,
    run: Run,
    trajectory: xr.DataArray,
    method: str,
    *,
    n_axes: int = 2,
    metric: str = "euclidean",
) -> Polled:
    """Return a projection with its fidelity, or the job that computes it; for its progress see `projection`."""
    key = _layout_key(run, trajectory, method, n_axes, metric)

    def make(progress: Progress | None) -> CachedResult[xr.Dataset]:
        return projection(computation, run, trajectory, method, n_axes=n_axes, metric=metric, progress=progress)

    return make(None) if key in computation.results else computation.background.poll(key, make)


def cancel_projection(
    computation: Computation, run: Run, trajectory: xr.DataArray, method: str, *, n_axes: int, metric: str
) -> None:
    """Cancel the job that computes a projection, if there is one."""
    computation.background.cancel(_layout_key(run, trajectory, method, n_axes, metric))


def pca_without_fidelity(
    computation: Computation, run: Run, trajectory: xr.DataArray, *, n_axes: int = 2, metric: str = "euclidean"
) -> CachedResult[xr.Dataset]:
    """Project a table by PCA without measuring fidelity, which takes a second for thousands of items, not minutes."""
    key = (*_layout_key(run, trajectory, "pca", n_axes, metric), "without fidelity")
    return computation.results.get(
        key, lambda: project(trajectory, "pca", n_axes=n_axes, metric=metric, with_fidelity=False)
    )


def is_cached(
    computation: Computation, run: Run, trajectory: xr.DataArray, method: str, *, n_axes: int, metric: str
) -> bool:
    """Check whether a layout is cached, in memory or on disk."""
    key = _layout_key(run, trajectory, method, n_axes, metric)
    return key in computation.results or is_on_disk(run, trajectory, method, n_axes=n_axes, metric=metric)


def all_neighbours(
    computation: Computation, run: Run, trajectory: xr.DataArray, metric: str
) -> NDArray[np.uint16] | None:
    """Find the nearest items of every item at every step in the full space, (step, item, rank); None for large tables."""
    if trajectory.shape[1] > MOST_FOR_ALL_NEIGHBOURS:
        return None
    key = ("all neighbours", *contents(run, trajectory), metric)
    return computation.results.get(
        key, lambda: neighbours_of_all(trajectory, metric=metric).values.astype(np.uint16)
    ).value


def neighbours(computation: Computation, run: Run, trajectory: xr.DataArray, item: int, metric: str) -> xr.Dataset:
    """Find the items nearest to one of them in the full space at every step, and their distances, (step, rank)."""
    key = ("neighbours", *contents(run, trajectory), metric, item)
    return computation.results.get(key, lambda: neighbours_of_one(trajectory, item, metric=metric)).value


def group_cohesion(
    computation: Computation, run: Run, trajectory: xr.DataArray, group: Group, *, what: TableName, metric: str
) -> Polled:
    """Compare a group with null groups in the full space, in the background: for a large table it takes minutes."""
    if len(group.members) > MOST_COMPARED:
        raise InputError(
            f"{len(group.members)} items are too many to compare with chance here: highlight {MOST_COMPARED} or fewer"
        )

    def compare() -> xr.Dataset:
        from probes.groups.cohesion import group_cohesion as cohesion
        from probes.groups.nulls import DRAWS

        size = len(group.members)
        pairs = max(1, size * (size - 1) // 2 * trajectory.shape[0])
        draws = min(DRAWS, max(FEWEST_DRAWS, MOST_DISTANCES // pairs))
        return cohesion(run, what, group, metric=metric, trajectory=trajectory, draws=draws)

    key = ("cohesion", *contents(run, trajectory), group, metric)
    return computation.background.poll(key, lambda progress: computation.results.get(key, compare))


@dataclass(frozen=True)
class PackedMaps:
    """Attention maps of a prompt as they are sent to the browser.

    ``weights`` are (step, layer, head, cell), 65535 for a weight of 1: the cells of a map up to the diagonal, row by row.
    """

    weights: NDArray[np.uint16]
    tokens: tuple[str, ...]
    steps: tuple[int, ...]


def attention(
    computation: Computation, run: Run, prompt: str, head: Head | None = None, progress: Progress | None = None
) -> CachedResult[PackedMaps]:
    """Measure the attention maps of a prompt, of all heads or of one."""
    return computation.live.get(
        run,
        ("attention", prompt, head),
        cache=computation.prompts,
        measure=lambda part, done: _packed_maps(part, prompt, head, done),
        join=_join_maps,
        progress=progress,
    )


def most_tokens(run: Run, n_heads: int | None = None) -> int:
    """Compute the longest prompt whose maps of ``n_heads`` heads, or of all, stay below `MOST_CELLS`."""
    shape = described_model(run)
    n_maps = max(1, len(run.manifest())) * (n_heads or shape.n_layer * shape.n_head)
    return max(2, int((2 * MOST_CELLS / n_maps) ** 0.5))


def set_threads(run: Run) -> None:
    """Set the number of threads that PyTorch uses in this thread: one for a small model, which gains nothing by a second.

    A large one takes the cores that are free.
    """
    import torch

    is_large = run.info.get("parameters", 0) >= WORTH_THREADS
    torch.set_num_threads(free_cores() if is_large else 1)


def _packed_maps(run: Run, prompt: str, head: Head | None, progress: Progress | None) -> PackedMaps:
    from probes.models.attention import attention_maps

    set_threads(run)
    maps = attention_maps(run, prompt, head=head, progress=progress).transpose("step", "layer", "head", "query", "key")
    weights = quantize_causal_maps(maps.values)
    weights.flags.writeable = False
    return PackedMaps(weights, tuple(str(token) for token in maps["query_token"].values), tuple(steps_of(maps)))


def _join_maps(earlier: PackedMaps, later: PackedMaps) -> PackedMaps:
    weights = np.concatenate([earlier.weights, later.weights])
    weights.flags.writeable = False
    return PackedMaps(weights, earlier.tokens, earlier.steps + later.steps)


def head_scores(computation: Computation, run: Run, progress: Progress | None = None) -> CachedResult[xr.Dataset]:
    """Measure the scores of every head, each (step, layer, head)."""
    from probes.models.heads import head_scores as measure

    return _measure_snapshots(computation, run, ("heads",), measure, cache=computation.results, progress=progress)


def zero_shot(computation: Computation, run: Run, progress: Progress | None = None) -> CachedResult[xr.Dataset]:
    """Measure how often the model finds the next one of four lines, (step)."""
    from probes.models.zero_shot import zero_shot as measure

    return _measure_snapshots(computation, run, ("zero-shot",), measure, cache=computation.results, progress=progress)


def poll_measure(computation: Computation, run: Run, name: Literal["heads", "zero-shot"]) -> Polled:
    """Return a measure of all snapshots, or the job that computes it."""
    measure = head_scores if name == "heads" else zero_shot
    return computation.background.poll(
        (name, run.path), lambda progress: measure(computation, run, progress), state=digests_of(run)
    )


def latest(computation: Computation, run: Run, name: str) -> CachedResult[xr.Dataset] | None:
    """Return the last result of a measure (``heads``, ``zero-shot``), perhaps of fewer snapshots than there are now."""
    known = computation.live.latest(run, (name,))
    return known[1] if known else None


def next_token(
    computation: Computation, run: Run, prompt: str, decoding: Decoding | None = None
) -> CachedResult[xr.DataArray]:
    """Compute the probabilities of the token after a prompt, (step, token): the model's own, or those that it is drawn with."""
    from probes.models.logits import next_token_distribution

    measure = partial(next_token_distribution, prompt=prompt, decoding=decoding)
    name = ("next", prompt) if decoding is None else ("next", prompt, repr(decoding))
    return _measure_snapshots(computation, run, name, measure, cache=computation.prompts)


def leading_probabilities(
    computation: Computation, run: Run, prompt: str, decoding: Decoding | None = None
) -> xr.Dataset:
    """Select the most probable next tokens after a prompt at every step, see `~probes.models.logits.leading_tokens`.

    ``token`` (item) are all tokens that occur, and ``index`` (step, rank) counts in these. With a ``decoding``, the probabilities are those
    with which tokens are drawn, after temperature and filters.
    """

    def select() -> xr.Dataset:
        from probes.models.decoding import apply_decoding
        from probes.models.logits import leading_tokens

        shown = distribution = next_token(computation, run, prompt).value
        if decoding is not None and decoding.depends_on_prompt:
            shown = next_token(computation, run, prompt, decoding).value
        elif decoding is not None:
            shown = apply_decoding(distribution, decoding)
        leading = leading_tokens(shown, before=distribution)
        occurring, places = np.unique(leading["index"].values, return_inverse=True)
        places = places.reshape(leading["index"].shape)
        tokens = shown["token"].values[occurring]
        found = leading.assign(index=(("step", "rank"), places), token=("item", tokens))
        return found.assign_attrs(prompt=distribution.attrs["prompt"])

    return computation.results.get(("leading", run.path, prompt, decoding), select, digests_of(run)).value


def _measure_snapshots(
    computation: Computation,
    run: Run,
    name: tuple[str, ...],
    measure: Callable[..., Value],
    *,
    cache: ResultCache,
    progress: Progress | None = None,
) -> CachedResult[Value]:
    def measure_part(part: Run, done: Progress | None) -> Value:
        set_threads(run)
        return measure(part, progress=done)

    return computation.live.get(run, name, cache=cache, measure=measure_part, join=_concatenate, progress=progress)


def _concatenate(earlier: Any, later: Any) -> Any:
    return xr.concat(
        [earlier, later], dim="step", join="exact", combine_attrs="override", coords="minimal", compat="override"
    )


def steps_of(array: xr.DataArray | xr.Dataset) -> list[int]:
    """List the steps of a trajectory as plain integers."""
    return [int(step) for step in array["step"].values]


def labels_of(trajectory: xr.DataArray) -> list[str]:
    """List the labels of a table's items."""
    return [str(label) for label in trajectory[trajectory.dims[1]].values]


def _layout_key(run: Run, trajectory: xr.DataArray, method: str, n_axes: int, metric: str) -> tuple[Hashable, ...]:
    return ("layout", *contents(run, trajectory), method, n_axes, metric)


def contents(run: Run, trajectory: xr.DataArray) -> tuple[Hashable, ...]:
    """Build the part of a key that identifies the values of a table: the hashes of its snapshots."""
    return (
        run.path,
        str(trajectory.dims[1]),
        trajectory.shape,
        tuple(str(digest) for digest in trajectory["sha256"].values),
    )
