"""Layouts keep neighbours, hang together from step to step, and stand still where nothing changes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from data.errors import InputError
from viz.fidelity import trustworthiness
from viz.projection import METHODS, default_perplexity, project


def made_trajectory(steps: int = 5, per_group: int = 12, static: int = 2, seed: int = 0) -> xr.DataArray:
    """Three groups that part from noise; the last ``static`` snapshots are equal."""
    random = np.random.default_rng(seed)
    start = random.normal(size=(3 * per_group, 16))
    target = np.repeat(6 * random.normal(size=(3, 16)), per_group, axis=0) + random.normal(size=start.shape)
    shares = np.minimum(np.linspace(0, 1, steps) * (steps - 1) / max(steps - 1 - static, 1), 1)
    values = [(1 - share) * start + share * target for share in shares]
    return xr.DataArray(np.stack(values), dims=("step", "token", "dim"), coords={"step": np.arange(steps) * 100})


def layout_width(layout: np.ndarray) -> float:
    return float(np.ptp(layout.reshape(-1, 2), axis=0).max())


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_groups_of_the_space_are_groups_of_the_picture(method: str) -> None:
    projection = project(made_trajectory(), method)
    last = projection["layout"].values[-1]
    group = np.repeat([0, 1, 2], 12)
    distances = np.linalg.norm(last[:, None] - last[None], axis=-1) + 1e9 * np.eye(len(last))
    assert (group[distances.argmin(axis=1)] == group).mean() > 0.95
    assert projection["trustworthiness"].values[-1] > 0.85


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_what_does_not_change_does_not_move(method: str) -> None:
    layout = project(made_trajectory(6, static=2), method)["layout"].values
    assert np.abs(layout[-1] - layout[-2]).max() < 1e-9 * layout_width(layout)
    assert np.abs(layout[0] - layout[1]).max() > 1e-3 * layout_width(layout)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_the_same_seed_gives_the_same_bytes(method: str) -> None:
    once, again = (project(made_trajectory(3), method, seed=4)["layout"].values for _ in range(2))
    assert once.tobytes() == again.tobytes()


def test_a_line_is_laid_out_as_a_line_from_left_to_right() -> None:
    angle = np.linspace(0, np.pi, 32)
    line = np.stack([np.cos(angle), np.sin(angle), 0.3 * angle], axis=1) @ np.random.default_rng(0).normal(size=(3, 20))
    trajectory = xr.DataArray(line[None], dims=("step", "position", "dim"), coords={"step": [0]})
    places = project(trajectory)["layout"].values[0]
    gaps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    assert gaps.mean() < 0.2 * apart.mean()
    assert places[-1, 0] > places[0, 0]


def test_the_last_layout_is_as_good_as_a_fresh_fit() -> None:
    from openTSNE import TSNE

    from viz.tsne import kl_divergence

    trajectory = made_trajectory(8, per_group=20)
    projection = project(trajectory)
    fits = [TSNE(perplexity=default_perplexity(60), random_state=seed).fit(trajectory.values[-1]) for seed in range(3)]
    fresh = min(kl_divergence(fit.affinities.P, np.asarray(fit, dtype=np.float64)) for fit in fits)
    assert projection["kl_divergence"].values[-1] <= 1.05 * fresh


def test_pca_is_that_of_all_steps_together() -> None:
    trajectory = made_trajectory()
    pooled = trajectory.values.reshape(-1, trajectory.sizes["dim"])
    expected = PCA(2).fit(pooled).transform(pooled).reshape(*trajectory.shape[:2], 2)
    layout = project(trajectory, "pca")["layout"].values
    for axis in range(2):
        sign = np.sign((layout[..., axis] * expected[..., axis]).sum())
        np.testing.assert_allclose(layout[..., axis], sign * expected[..., axis], atol=1e-9)


def test_explained_variance_is_that_of_each_step() -> None:
    flat = np.zeros((1, 10, 4))
    flat[0, :, :2] = np.random.default_rng(0).normal(size=(10, 2))
    trajectory = xr.DataArray(flat, dims=("step", "token", "dim"), coords={"step": [0]})
    assert project(trajectory, "pca")["explained_variance"].values[0] == pytest.approx(1)


@pytest.mark.parametrize("neighbours", [3, 7, 12])
def test_trustworthiness_is_scikit_learns(neighbours: int) -> None:
    random = np.random.default_rng(0)
    for _ in range(5):
        vectors, points = random.normal(size=(40, 9)), random.normal(size=(40, 2))
        expected = sklearn_trustworthiness(vectors, points, n_neighbors=neighbours)
        assert trustworthiness(vectors, points, neighbours) == pytest.approx(expected, abs=1e-9)


def test_equal_vectors_can_be_laid_out() -> None:
    values = np.random.default_rng(0).normal(size=(2, 20, 5))
    values[:, 1] = values[:, 0]
    trajectory = xr.DataArray(values, dims=("step", "token", "dim"), coords={"step": [0, 1]})
    for method in ("pca", "tsne"):
        assert np.isfinite(project(trajectory, method)["layout"].values).all()


def test_progress_counts_the_snapshots() -> None:
    told: list[int] = []
    project(made_trajectory(4), "pca", progress=told.append)
    assert told == [1, 2, 3, 4]


@pytest.mark.slow
def test_umap_hangs_together() -> None:
    layout = project(made_trajectory(6, static=2), "umap")["layout"].values
    assert np.abs(layout[-1] - layout[-2]).max() < 1e-9
    assert np.abs(layout[3] - layout[2]).mean() < 0.5 * layout_width(layout)


def bad(values: np.ndarray) -> xr.DataArray:
    coords = {"step": np.arange(len(values)) * 100}
    return xr.DataArray(values, dims=("step", "token", "dim"), coords=coords, name="token_table")


@pytest.mark.parametrize(
    ("trajectory", "options", "message"),
    [
        (made_trajectory(), {"method": "isomap"}, "unknown method 'isomap': there is tsne, umap, pca"),
        (made_trajectory(), {"perplexity": 12.0}, r"perplexity must be below \(items - 1\) / 3; got 12 for 36 items"),
        (made_trajectory(), {"perplexity": 0.5}, "at least 1; got 0.5"),
        (bad(np.ones((2, 3, 4))), {}, "PCA needs at least 4 tokens; got 3|t-SNE needs at least 8 tokens; got 3"),
        (
            bad(np.where(np.arange(2)[:, None, None] == 1, np.nan, np.ones((2, 9, 4)))),
            {},
            "step 100 holds values that are not finite",
        ),
    ],
)
def test_what_cannot_be_laid_out_is_refused(trajectory: xr.DataArray, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        project(trajectory, **options)  # type: ignore[arg-type]


def test_every_method_has_a_name_for_the_picture() -> None:
    assert METHODS == {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
