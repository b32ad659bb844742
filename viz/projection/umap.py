"""UMAP of every step of a trajectory, chained backwards in time from the last.

umap-learn can start from the previous layout (``init=``), but first stretches it to a square of side 10, whatever its shape. A chain made
that way jumped by 0.34 layout widths a snapshot (32 trained positions, 58 snapshots). So the neighbourhood graph is UMAP's own, and the
optimisation continues from the layout as it is, with a fiftieth of the usual learning rate. Its sampled gradients still leave a motion
floor. Measured on the same run: learning rate 0.1, floor 0.18 layout widths (positions) and 0.16 (tokens); 0.05, 0.15 and 0.13; 0.02, 0.07
and 0.09; neighbour recall is equal to 0.002 in all. The floor of t-SNE there is below 0.01.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.projection.alignment import align_to_axes, rotate_onto

EPOCHS = 100
LEARNING_RATE = 0.02
REPULSION = 1.0
NEGATIVE_SAMPLES = 5.0
FEWEST_FOR_SPECTRAL = 12  # items; the spectral initialization needs more eigenvectors than fewer items have


def default_neighbours(items: int) -> int:
    """Choose UMAP's usual 15 neighbours, or fewer for few items."""
    return max(2, min(15, (items - 1) // 3))


def is_imported() -> bool:
    """Check whether umap-learn has been imported: the first import compiles for about half a minute."""
    return hasattr(sys.modules.get("umap"), "UMAP")


def chain(
    snapshots: Iterable[NDArray[np.float64]], *, neighbours: int, seed: int = 0, n_axes: int = 2
) -> Iterator[NDArray[np.float64]]:
    """Lay out one snapshot after another, each starting from the layout of the one before.

    Parameters
    ----------
    snapshots, n_axes : as in `viz.projection.tsne.chain`.
    neighbours : number of nearest neighbours in the graph.
    seed : of the negative sampling.

    Yields
    ------
    A layout (item, axis) for each snapshot, in the order given, centred. A snapshot equal to the one before keeps its layout.
    """
    before: NDArray[np.float64] | None = None
    points = np.zeros((0, n_axes))
    for vectors in snapshots:
        if before is None:
            reducer = _reducer(neighbours, seed, len(vectors), n_components=n_axes)
            points = align_to_axes(reducer.fit_transform(vectors).astype(np.float64))
        elif not np.array_equal(vectors, before):
            points = continue_layout(vectors, points, neighbours=neighbours, seed=seed)
        yield points
        before = vectors


def continue_layout(
    vectors: NDArray[np.float64], points: NDArray[np.float64], *, neighbours: int, seed: int = 0
) -> NDArray[np.float64]:
    """Optimise a layout (item, axis) further, for vectors (item, dim), and rotate the result onto ``points``."""
    reducer = _reducer(neighbours, seed, len(vectors), transform_mode="graph")
    graph = reducer.fit(vectors).graph_.tocoo()

    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import make_epochs_per_sample

    kept = graph.data >= graph.data.max() / EPOCHS  # the others would never be sampled
    moved = np.array(points, dtype=np.float32, order="C")
    state = np.random.RandomState(seed).randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max, 3).astype(np.int64)
    optimize_layout_euclidean(
        moved,
        moved,
        graph.row[kept],
        graph.col[kept],
        EPOCHS,
        len(points),
        make_epochs_per_sample(graph.data[kept], EPOCHS),
        reducer._a,
        reducer._b,
        state,
        REPULSION,
        LEARNING_RATE,
        NEGATIVE_SAMPLES,
        parallel=False,
        move_other=True,
    )
    layout = moved.astype(np.float64)
    return rotate_onto(layout - layout.mean(axis=0), points)


def _reducer(neighbours: int, seed: int, items: int, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # TensorFlow is missing, and not needed
        import umap  # compiles for many seconds

    init = "spectral" if items > FEWEST_FOR_SPECTRAL else "random"
    return umap.UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1, init=init, **options)
