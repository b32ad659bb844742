"""Films of embeddings by every method, and by what others do: jitter, neighbours kept, divergence, time; and large vocabularies.

``--items 300 --steps 100`` (the default): this toolkit's chains against fresh fits by openTSNE and scikit-learn, AlignedUMAP and one
PCA a step. ``--items 5000`` and ``--items 50000 --dims 768 --steps 20`` compare the chain with some fresh fits only, and show stages
and memory. Targets: motion where nothing changes at most 1/20 of fresh fits', neighbour recall within 0.01 of the best, KL divergence
a step within 5% of a fresh fit's, time at most 1/8; for 5,000 items a quarter of a fresh fit a step, memory flat in the steps.

Data are made up: noise that becomes groups, slower and slower; the last tenth of the steps differ by a millionth.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from tables import show

from viz.fidelity.motion import displacements
from viz.fidelity.neighbourhoods import measure_fidelity
from viz.projection import projector as engine
from viz.projection.alignment import rotate_onto
from viz.projection.projector import default_perplexity, project
from viz.projection.tsne import kl_divergence

NEIGHBOURS = 10
MANY = 1000
FRESH_OF_MANY = 3


def made_trajectory(n_items: int, n_steps: int, n_dims: int, folder: Path) -> xr.DataArray:
    """Return (step, item, dim) that lies in a file and is read step by step."""
    random = np.random.default_rng(0)
    groups = random.normal(size=(max(10, n_items // 100), n_dims))[random.integers(0, max(10, n_items // 100), n_items)]
    start, own = (random.normal(size=(n_items, n_dims)).astype(np.float32) for _ in range(2))
    values = np.memmap(folder / "made", dtype=np.float32, mode="w+", shape=(n_steps, n_items, n_dims))
    last_moving = int(0.9 * n_steps)
    for i in range(n_steps):
        share = 1 - np.exp(-4 * min(i, last_moving) / n_steps)
        values[i] = (1 - share) * start + share * (groups + 0.6 * own)
        if i > last_moving:
            values[i] += 1e-6 * random.normal(size=(n_items, n_dims))
    values.flush()
    shown = np.memmap(folder / "made", dtype=np.float32, mode="r", shape=values.shape)
    return xr.DataArray(
        shown, dims=("step", "token", "dim"), coords={"step": np.arange(n_steps), "token": np.arange(n_items)}
    )


def others(vectors: list[np.ndarray], perplexity: float) -> dict[str, Callable[[], np.ndarray]]:
    """Return what others do with the steps, by name; each gives layouts (step, item, axis)."""
    from sklearn import manifold
    from sklearn.decomposition import PCA

    def turned(fit: Callable[[int, np.ndarray], np.ndarray]) -> np.ndarray:
        """Fit each step by itself, centred and turned onto the one before: the best that can be done afterwards."""
        layouts: list[np.ndarray] = []
        for i, v in enumerate(vectors):
            points = np.asarray(fit(i, v), dtype=float)
            points -= points.mean(axis=0)
            layouts.append(rotate_onto(points, layouts[-1]) if layouts else points)
        return np.array(layouts)

    def aligned_umap() -> np.ndarray:
        import umap

        same = {j: j for j in range(len(vectors[0]))}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = umap.AlignedUMAP(random_state=0).fit(vectors, relations=[same] * (len(vectors) - 1))
        return np.array(made.embeddings_)

    return {
        "openTSNE, fresh fits, turned": lambda: turned(lambda i, v: TSNE(perplexity=perplexity, random_state=i).fit(v)),
        "scikit-learn t-SNE, fresh fits, turned": lambda: turned(
            lambda i, v: manifold.TSNE(perplexity=perplexity, random_state=i).fit_transform(v)
        ),
        "AlignedUMAP": aligned_umap,
        "PCA of each step, turned": lambda: turned(lambda _, v: PCA(2).fit_transform(v)),
    }


def compared(trajectory: xr.DataArray) -> None:
    """Print the table of methods."""
    vectors = [np.asarray(v, dtype=float) for v in trajectory.values]
    perplexity = default_perplexity(trajectory.shape[1])
    affinities = [PerplexityBasedNN(v, perplexity, random_state=0).P for v in vectors]
    ours = {
        f"this toolkit, {name}": lambda m=m: project(trajectory, m)["layout"].values
        for m, name in engine.METHODS.items()
    }
    for method in engine.METHODS:
        project(trajectory[-2:], method)  # imports and compilation are not what is timed
    found = {name: _timed(make) for name, make in {**ours, **others(vectors, perplexity)}.items()}
    divergences = {
        name: np.array([kl_divergence(p, points) for p, points in zip(affinities, layouts, strict=True)])
        for name, (layouts, _) in found.items()
        if "SNE" in name
    }
    fresh = divergences["openTSNE, fresh fits, turned"]
    rows = []
    for name, (layouts, seconds) in found.items():
        recall = np.mean([measure_fidelity(v, p, NEIGHBOURS).recall for v, p in zip(vectors, layouts, strict=True)])
        ratio = divergences[name] / fresh if name in divergences else None
        rows.append((
            name, f"{_jitter(layouts):.2g}", recall,
            *((f"{np.median(ratio):.3f}", f"{ratio.max():.3f}", f"{np.mean(ratio > 1.05):.0%}") if ratio is not None else ("", "", "")),
            seconds,
        ))  # fmt: skip
    columns = ("", "jitter", "recall at 10", "KL median", "worst", ">1.05", "seconds")
    n_steps, n_items, n_dims = trajectory.shape
    show(
        f"{n_items} items, {n_dims} dimensions, {n_steps} steps; KL against openTSNE's fresh fits; processor time",
        columns,
        rows,
    )


def large(trajectory: xr.DataArray, threads: int) -> None:
    """Print what a chain of many items takes, by stage, and what fresh fits take."""
    n_steps, n_items, n_dims = trajectory.shape
    stages: dict[str, float] = {}
    for module, name in ((engine, "_add_fidelity"), (engine, "pooled_basis")):
        _clocked(module, name, stages)
    marks = [time.perf_counter()]
    project(trajectory, n_jobs=threads, progress=lambda done: marks.append(time.perf_counter()))
    whole = time.perf_counter() - marks[0]
    each = np.diff(marks)
    n_fresh = min(FRESH_OF_MANY, n_steps) if n_items <= 10_000 else 1
    fresh = []
    for i in np.linspace(0, n_steps - 1, n_fresh).astype(int):
        started = time.perf_counter()
        TSNE(perplexity=30, n_jobs=threads, random_state=0).fit(
            np.asarray(trajectory.variable[int(i)].values, dtype=float)
        )
        fresh.append(time.perf_counter() - started)
    following, reduction = float(np.median(each[1:])), stages.get("pooled_basis", 0.0)
    rows = [
        ("reduction to 50 dimensions", reduction, reduction / whole),
        ("first layout", each[0], each[0] / whole),
        ("following layouts, all", each[1:].sum(), each[1:].sum() / whole),
        ("measures and motion floor", stages["_add_fidelity"], stages["_add_fidelity"] / whole),
        ("all of it", whole, 1.0),
        ("a following layout, median", following, ""),
        ("a fresh openTSNE fit, median", float(np.median(fresh)), ""),
        ("following / fresh", following / float(np.median(fresh)), ""),
        ("a step with its measures / fresh", whole / n_steps / float(np.median(fresh)), ""),
        ("peak memory, MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, ""),
    ]
    show(f"{n_items:,} items, {n_dims} dimensions, {n_steps} steps, {threads} threads", ("", "seconds", "share"), rows)


def _jitter(layouts: np.ndarray) -> float:
    """Return the mean motion over the last tenth of the steps, where nothing changes, in layout widths."""
    still = layouts[int(0.9 * len(layouts)) :]
    width = 2 * np.sqrt(np.square(layouts - layouts.mean(axis=1, keepdims=True)).sum(axis=-1).mean())
    return float(displacements(still).mean() / width)


def _timed(make: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    started = time.process_time()
    layouts = make()
    return layouts, time.process_time() - started


def _clocked(module: object, name: str, stages: dict[str, float]) -> None:
    inner = getattr(module, name)

    def outer(*args: object, **options: object) -> object:
        started = time.perf_counter()
        try:
            return inner(*args, **options)
        finally:
            stages[name] = stages.get(name, 0.0) + time.perf_counter() - started

    setattr(module, name, outer)


def main() -> None:
    parser = argparse.ArgumentParser(description="Films of embeddings: methods compared, and large vocabularies.")
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--dims", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trajectory = made_trajectory(options.items, options.steps, options.dims, Path(folder))
        if options.items <= MANY:
            compared(trajectory)
        else:
            large(trajectory, options.threads)


if __name__ == "__main__":
    main()
