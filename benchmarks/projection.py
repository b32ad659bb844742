"""The t-SNE chain of a film against a fresh openTSNE fit of every snapshot: quality, motion, time.

Without options the data are made up: noise that becomes groups, the last five snapshots equal. ``--run`` takes the tables of a run
instead, ``--npz`` those of a file with the arrays steps, tokens and positions. Targets: the last layout's divergence within 5% of a
fresh fit's and its trustworthiness within 0.01; motion where nothing changes at most 1/20 of fresh fits'; time at most 1/8.

Divergences are exact (openTSNE reports approximations) and taken against the median of several fresh fits of the same
snapshot, one from principal components and the others from random starts. Motion is the mean way of a point, in widths of the layout.
Time is processor time, the film's with its measures, the fresh fits' from principal components without.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from sklearn.manifold import trustworthiness
from tables import show

from viz.projection.projector import default_perplexity, project
from viz.projection.tsne import kl_divergence

UNCHANGED = 8  # snapshots of the test on data that do not change
UNCHANGED_NOISE = 1e-6  # times the data's spread: too little to see, enough that no two snapshots are equal


@dataclass(frozen=True)
class Fresh:
    """Several openTSNE fits of one snapshot, by openTSNE's defaults.

    layouts : (fit, item, axis), the first from principal components.
    divergence, trust : (fit,).
    seconds : of processor time that the first one took.
    """

    layouts: np.ndarray
    divergence: np.ndarray
    trust: np.ndarray
    seconds: float


def fresh_fits(vectors: np.ndarray, perplexity: float, neighbours: int, fits: int, threads: int) -> Fresh:
    """Fit one snapshot several times, independently of all others."""
    layouts, seconds = [], []
    for seed in range(fits):
        started = time.process_time()
        engine = TSNE(
            perplexity=perplexity, initialization="random" if seed else "pca", random_state=seed, n_jobs=threads
        )
        layouts.append(np.array(engine.fit(vectors)))
        seconds.append(time.process_time() - started)
    affinities = PerplexityBasedNN(vectors, perplexity, random_state=0).P
    divergence = np.array([kl_divergence(affinities, points) for points in layouts])
    trust = np.array([trustworthiness(vectors, points, n_neighbors=neighbours) for points in layouts])
    return Fresh(np.array(layouts), divergence, trust, seconds[0])


def motion(layouts: np.ndarray) -> np.ndarray:
    """Return the mean way of a point from each layout to the next, in widths of the layout; (step - 1,)."""
    width = np.median(np.ptp(layouts, axis=1).max(axis=1))
    return np.sqrt(np.square(np.diff(layouts, axis=0)).sum(axis=-1)).mean(axis=1) / width


def measure(name: str, trajectory: xr.DataArray, fits: int, threads: int) -> tuple[list[object], list[object]]:
    """Return this trajectory's rows of the two tables."""
    items = trajectory.shape[1]
    perplexity = default_perplexity(items)
    project(trajectory[-2:], perplexity=perplexity)  # imports and compilation are not what is timed
    times = []
    for _ in range(3):
        started = time.process_time()
        film = project(trajectory, perplexity=perplexity, n_jobs=threads)
        times.append(time.process_time() - started)
    seconds = float(np.median(times))
    k = film.attrs["neighbours"]
    steps = trajectory.values.astype(np.float64)
    fresh = [fresh_fits(v, perplexity, k, fits, threads) for v in steps[:-1]]
    fresh.append(fresh_fits(steps[-1], perplexity, k, max(fits, 10), threads))
    ratio = film["kl_divergence"].values / [np.median(f.divergence) for f in fresh]
    trust = film["trustworthiness"].values - [np.median(f.trust) for f in fresh]
    layouts = film["layout"].values
    independent = sum(f.seconds for f in fresh)
    quality = [
        f"{name}, {items} items, {len(steps)} snapshots, perplexity {perplexity:.3g}",
        *(f"{value:.3f}" for value in (np.median(ratio), ratio.max())),
        f"{np.mean(ratio > 1.05):.0%}",
        f"{ratio[-1]:.3f}",
        f"{film['kl_divergence'].values[-1] / fresh[-1].divergence.min():.3f}",
        *(f"{value:+.3f}" for value in (np.median(trust), trust[-1])),
        f"{film['trustworthiness'].values[-1] - fresh[-1].trust.max():+.3f}",
    ]
    calm, restless = unchanged(trajectory, perplexity, threads)
    speed = [
        name,
        f"{np.median(motion(layouts)):.3f}",
        f"{np.median(motion(np.array([f.layouts[0] for f in fresh]))):.2f}",
        f"{calm:.2g}",
        f"{restless:.2g}",
        f"1/{restless / calm:.0f}" if calm else "0",
        *(f"{value:.2f}" for value in (seconds, independent)),
        f"1/{independent / seconds:.1f}",
    ]
    return quality, speed


def unchanged(trajectory: xr.DataArray, perplexity: float, threads: int) -> tuple[float, float]:
    """Return the motion, median over steps, of the chain and of fresh fits where the last snapshot comes again and again."""
    random = np.random.default_rng(0)
    last = trajectory.values[-1].astype(np.float64)
    noise = UNCHANGED_NOISE * last.std() * random.normal(size=(UNCHANGED, *last.shape))
    still = xr.DataArray(last + noise, dims=trajectory.dims, coords={"step": range(UNCHANGED)})
    chain = project(still, perplexity=perplexity, n_jobs=threads)["layout"].values
    fits = [
        TSNE(perplexity=perplexity, random_state=seed, n_jobs=threads).fit(v) for seed, v in enumerate(still.values)
    ]
    return float(np.median(motion(chain))), float(np.median(motion(np.array(fits))))


def made_trajectory(n_items: int, n_steps: int, n_dims: int = 64) -> xr.DataArray:
    """Return noise that becomes ten groups, each item also going its own way; the last five steps are equal."""
    random = np.random.default_rng(0)
    groups = random.normal(size=(10, n_dims))[np.arange(n_items) % 10]
    start, own, drift = random.normal(size=(3, n_items, n_dims))
    share = np.minimum(1, np.arange(n_steps) / (n_steps - 5))[:, None, None]
    share = share**2 * (3 - 2 * share)
    values = 0.6 * (1 - share) * start + share * (groups + 0.5 * own) + 0.2 * share * drift
    coords = {"step": np.arange(n_steps), "token": np.arange(n_items)}
    return xr.DataArray(values, dims=("step", "token", "dim"), coords=coords)


def trajectories(options: argparse.Namespace) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield the trajectories that were asked for, by name."""
    if options.run is not None:
        from data.runs import open_run
        from probes.tables.embeddings import position_embeddings, token_embeddings

        run = open_run(options.run)
        yield "positions", position_embeddings(run)
        yield "tokens", token_embeddings(run)
    elif options.npz is not None:
        with np.load(options.npz) as file:
            for item in ("position", "token"):
                values = file[f"{item}s"]
                coords = {"step": file["steps"], item: np.arange(values.shape[1])}
                yield f"{item}s", xr.DataArray(values, dims=("step", item, "dim"), coords=coords)
    else:
        yield "made up", made_trajectory(options.items, options.steps)


def main() -> None:
    parser = argparse.ArgumentParser(description="The t-SNE chain of a film against fresh fits of every snapshot.")
    parser.add_argument("--run", help="name of a run whose positions and tokens are taken")
    parser.add_argument("--npz", type=Path, help="file with steps (step,), tokens and positions (step, item, dim)")
    parser.add_argument("--items", type=int, default=115, help="of the made-up data")
    parser.add_argument("--steps", type=int, default=58, help="of the made-up data")
    parser.add_argument(
        "--fits", type=int, default=3, help="fresh fits of each snapshot; the last one gets ten or more"
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    rows = [measure(name, some, options.fits, options.threads) for name, some in trajectories(options)]
    show(
        "Film against fresh fits: KL divergence as a ratio, trustworthiness as a difference",
        ("", "KL median", "worst", ">1.05", "last", "last/best", "trust median", "last", "last/best"),
        [quality for quality, _ in rows],
    )
    show(
        "Motion a snapshot, in layout widths; motion where the data do not change; processor time",
        ("", "film", "fresh", "unchanged: film", "fresh", "ratio", "film s", "fresh s", "ratio"),
        [speed for _, speed in rows],
    )


if __name__ == "__main__":
    main()
