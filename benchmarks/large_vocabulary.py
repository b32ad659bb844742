"""Projections of large vocabularies: the t-SNE chain of 50,000 items against a fresh openTSNE fit, and one snapshot of a real size.

Targets: 20 steps of 50,000 items in 6 minutes, a step at most 0.2 of a fresh fit; of 49,152 tokens with 576 dimensions, t-SNE in 60 s and
PCA in 5 s, measures of fidelity included; at most 2 GB resident.

The data are made up: for the chain, noise that becomes ten groups; for the snapshot, groups of all sizes in directions of unequal
importance. A step is one that continues from another layout. Divergences are exact, of the last snapshot. Run it with nothing beside it.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import xarray as xr
from openTSNE import TSNE
from projection import made_trajectory
from tables import show

from data.free_cores import free_cores
from viz.projection import tsne
from viz.projection.affinities import joint_probabilities
from viz.projection.exact_gradient import kl_divergence
from viz.projection.projector import default_perplexity, project

N_DIMS = 50
SNAPSHOT = 49_152, 576


def peak_gb() -> float:
    """Return the largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def chain_times(steps: xr.DataArray, threads: int) -> tuple[list[float], np.ndarray]:
    """Lay out all steps, the last one first; return the seconds of each, and the layout of the last step."""
    taken, layouts, started = list[float](), list[np.ndarray](), time.perf_counter()
    vectors = (steps.values[i] for i in reversed(range(len(steps))))
    for fit in tsne.chain(vectors, perplexity=default_perplexity(steps.shape[1]), n_jobs=threads):
        taken.append(time.perf_counter() - started)
        layouts.append(fit.points)
        started = time.perf_counter()
    return taken, layouts[0]


def fresh_fit(vectors: np.ndarray, threads: int) -> tuple[float, np.ndarray]:
    """Fit one snapshot with openTSNE's defaults; return the seconds and the layout."""
    started = time.perf_counter()
    layout = np.array(TSNE(perplexity=default_perplexity(len(vectors)), random_state=0, n_jobs=threads).fit(vectors))
    return time.perf_counter() - started, layout


def show_chain(items: int, steps: int, threads: int) -> None:
    trajectory = made_trajectory(items, steps, N_DIMS)
    last = trajectory.values[-1]
    taken, layout = chain_times(trajectory, threads)
    peak = peak_gb()
    fresh_s, fresh = fresh_fit(last, threads)
    moved = [seconds for seconds in taken[1:] if seconds > 0.1]  # an unchanged snapshot keeps its layout
    affinities = joint_probabilities(last, default_perplexity(items), n_jobs=threads)
    ours, theirs = (kl_divergence(affinities, points) for points in (layout, fresh))
    rows = [
        ("chain, all steps, s", sum(taken)),
        ("first layout, s", taken[0]),
        ("a step that continues, median s", np.median(moved)),
        ("the same, mean s", np.mean(moved)),
        ("fresh fit by openTSNE, s", fresh_s),
        ("a step against a fresh fit, mean", np.mean(moved) / fresh_s),
        ("divergence of the last step, ours / fresh", ours / theirs),
        ("peak memory of the chain, GB", peak),
    ]
    title = f"t-SNE chain, {items:,} items x {steps} steps, {threads} threads"
    show(title, ("", "value"), [(name, f"{value:.3g}") for name, value in rows])


def made_snapshot(items: int, dims: int) -> xr.DataArray:
    """Make up the table of a model: groups of unequal sizes and spreads, and more variance in some directions than in others."""
    random = np.random.default_rng(0)
    groups = random.normal(size=(items // 160, dims))[random.zipf(1.3, items) % (items // 160)]
    strengths = random.gamma(1.0, 1.0, (items, 1))
    directions = random.normal(size=(dims // 9, dims)) / np.sqrt(1 + np.arange(dims // 9))[:, None]
    own = random.normal(size=(items, dims // 9)) @ directions
    values = 0.02 * (strengths * groups + own + 0.7 * random.normal(size=(items, dims)))
    coords = {"step": [0], "token": np.arange(items)}
    return xr.DataArray(values[None].astype(np.float32), dims=("step", "token", "dim"), coords=coords)


def show_snapshot(items: int, dims: int, threads: int) -> None:
    trajectory, rows = made_snapshot(items, dims), []
    for method in ("pca", "tsne"):
        notes = list[str]()
        started = time.perf_counter()
        projection = project(
            trajectory, method, n_jobs=threads, progress=lambda _, note="", notes=notes: notes.append(note)
        )
        seconds = time.perf_counter() - started
        rows.append((projection.attrs["method_name"], seconds, len(notes), float(projection["trustworthiness"][0])))
    columns = ("method", "seconds", "reports of progress", "trustworthiness")
    show(f"One snapshot of {items:,} tokens, {dims} dimensions, with its fidelity", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=50_000, help="of the chain")
    parser.add_argument("--steps", type=int, default=20, help="of the chain")
    parser.add_argument("--only", choices=("chain", "snapshot"))
    options = parser.parse_args()
    threads = free_cores()
    project(made_trajectory(1200, 7, N_DIMS)[-2:], n_jobs=threads)  # imports and compilation are not what is timed
    if options.only != "chain":
        show_snapshot(*SNAPSHOT, threads)
    if options.only != "snapshot":
        show_chain(options.items, options.steps, threads)
    print(f"Peak memory: {peak_gb():.2f} GB")


if __name__ == "__main__":
    main()
