"""What a projection promises: neighbours stay neighbours, what does not move stays still, the same seed gives the same bytes."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from openTSNE import TSNE
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from data.errors import InputError
from viz.projection.projector import FEWEST_ITEMS, METHODS, default_perplexity, project

STEPS = [0, 1, 100, 200, 300]


def trajectory(vectors: NDArray[np.float64], item: str = "position") -> xr.DataArray:
    steps = STEPS[: len(vectors)] if len(vectors) <= len(STEPS) else list(range(len(vectors)))
    coords = {"step": steps, item: np.arange(vectors.shape[1])}
    return xr.DataArray(vectors.astype(np.float32), dims=("step", item, "dim"), coords=coords, name=f"{item}_table")


def groups(n_items: int = 45, n_steps: int = 5, seed: int = 0) -> xr.DataArray:
    """Return three groups far from each other, whose members wander."""
    random = np.random.default_rng(seed)
    centres = 8 * random.normal(size=(3, 10))[np.arange(n_items) % 3]
    return trajectory(centres + np.cumsum(random.normal(size=(n_steps, n_items, 10)), axis=0) / 2)


def noise_to_line(n_items: int = 32, n_steps: int = 5) -> xr.DataArray:
    """Return noise that becomes a bent line, as the position table of a GPT does."""
    random = np.random.default_rng(0)
    along = np.linspace(0, 1, n_items)[:, None]
    bent = np.hstack([np.cos(np.pi * k * along) / k for k in range(1, 9)]) + 0.02 * random.normal(size=(n_items, 8))
    share = np.linspace(0, 1, n_steps)[:, None, None]
    return trajectory((1 - share) * 0.3 * random.normal(size=(n_items, 8)) + share * bent)


def moved(layouts: NDArray[np.float64]) -> float:
    """Return the mean way of a point from layout to layout, in widths of the layout."""
    width = np.ptp(layouts, axis=1).max(axis=1).mean()
    return float(np.sqrt(np.square(np.diff(layouts, axis=0)).sum(axis=-1)).mean() / width)


def share_of_neighbours_in_the_group(points: NDArray[np.float64]) -> float:
    """Return how often a point's nearest neighbour is of its own group of `groups`."""
    distances = np.square(points[:, None] - points[None]).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(distances.argmin(axis=1) % 3 == np.arange(len(points)) % 3))


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_neighbours_survive_at_every_step(method: str) -> None:
    projection = project(groups(), method)
    for points in projection["layout"].values:
        assert share_of_neighbours_in_the_group(points) > 0.95
    assert projection["trustworthiness"].min() > 0.75


@pytest.mark.slow  # UMAP compiles for half a minute
def test_umap_keeps_neighbours_and_shape_and_repeats_itself() -> None:
    first, second = (project(groups(), "umap", seed=3) for _ in range(2))
    assert first["layout"].values.tobytes() == second["layout"].values.tobytes()
    for points in first["layout"].values:
        assert share_of_neighbours_in_the_group(points) > 0.95
    line = noise_to_line()
    still = trajectory(np.stack([line.values[-1]] * 3 + [line.values[-1] * (1 + 1e-6)]))
    layouts = project(still, "umap")["layout"].values
    assert moved(layouts[:3]) == 0
    assert moved(layouts) < 0.2
    width, height = np.ptp(layouts[0], axis=0)
    assert width > 2 * height  # not stretched to a square, as umap.UMAP(init=...) does


def test_the_same_seed_gives_the_same_bytes() -> None:
    data = groups()
    first, second = (project(data, seed=3) for _ in range(2))
    for name in first.data_vars:
        assert first[name].values.tobytes() == second[name].values.tobytes()


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_a_line_stays_a_line_and_is_read_from_left_to_right(method: str) -> None:
    last = project(noise_to_line(), method)["layout"].isel(step=-1)
    assert spearmanr(last.sel(axis="x"), last["position"]).statistic > 0.95
    gaps = np.sqrt(np.square(np.diff(last.values, axis=0)).sum(axis=1))
    assert gaps.max() < 0.2 * np.ptp(last.values, axis=0).max()


def test_equal_snapshots_have_equal_layouts() -> None:
    line = noise_to_line().values
    layouts = project(trajectory(line[[0, 0, 3, 4, 4]]))["layout"].values
    assert moved(layouts[:2]) == moved(layouts[3:]) == 0
    assert moved(layouts[1:4]) > 0


def test_where_hardly_anything_changes_the_layout_is_far_calmer_than_fresh_fits() -> None:
    vectors = groups().values[-1]
    still = vectors + 1e-4 * np.random.default_rng(0).normal(size=(5, *vectors.shape))
    fresh = [
        TSNE(perplexity=default_perplexity(45), random_state=s, initialization="random").fit(vectors) for s in range(3)
    ]
    assert moved(project(trajectory(still))["layout"].values) < moved(np.array(fresh)) / 20


def test_what_comes_back_is_labelled() -> None:
    data = groups().rename(position="token").assign_coords(token=[f"t{i}" for i in range(45)])
    projection = project(data, seed=5, perplexity=6)
    assert projection["layout"].dims == ("step", "token", "axis")
    assert list(projection["axis"].values) == ["x", "y"]
    assert projection["layout"].sel(step=200, token="t7").shape == (2,)
    assert projection["kl_divergence"].dims == projection["trustworthiness"].dims == ("step",)
    expected: dict[Hashable, object] = {
        "method": "tsne",
        "method_name": "t-SNE",
        "seed": 5,
        "perplexity": 6.0,
        "neighbours": 10,
    }
    assert expected.items() <= projection.attrs.items()
    assert projection["trust"].dims == projection["item_recall"].dims == ("step", "token")
    assert projection["motion_floor"].dims == ("token",)


def test_trustworthiness_is_that_of_each_steps_own_layout() -> None:
    data = groups()
    projection = project(data, "pca")
    for i in range(len(STEPS)):
        expected = trustworthiness(data.values[i], projection["layout"].values[i], n_neighbors=10)
        assert projection["trustworthiness"].values[i] == pytest.approx(expected, abs=1e-9)


def test_pca_has_one_basis_for_all_steps() -> None:
    data = groups()
    projection = project(data, "pca")
    pooled = PCA(2).fit(data.values.reshape(-1, 10).astype(float))
    for i, vectors in enumerate(data.values.astype(float)):
        np.testing.assert_allclose(np.abs(projection["layout"].values[i]), np.abs(pooled.transform(vectors)), atol=1e-6)
        kept = np.var(pooled.transform(vectors), axis=0).sum() / np.var(vectors, axis=0).sum()
        assert projection["explained_variance"].values[i] == pytest.approx(kept, abs=1e-9)


def test_pca_is_exact_far_from_the_origin() -> None:
    near = groups().astype(np.float64)
    kept = [project(data, "pca")["explained_variance"].values for data in (near, near + 1e6)]
    np.testing.assert_allclose(kept[0], kept[1], atol=1e-6)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_the_input_is_left_alone_and_progress_is_reported(method: str) -> None:
    data, reported = groups(), list[int]()
    before = data.copy(deep=True)
    project(data, method, progress=reported.append)
    assert reported == [1, 2, 3, 4, 5]
    xr.testing.assert_identical(data, before)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_one_snapshot_is_enough(method: str) -> None:
    assert project(groups(n_steps=1), method)["layout"].shape == (1, 45, 2)


@pytest.mark.parametrize("items", [8, 9, 13, 16, 32, 65, 115, 181, 5000])
def test_the_default_perplexity_always_fits(items: int) -> None:
    assert 1 < default_perplexity(items) < (items - 1) / 3


def test_the_fewest_items_can_be_laid_out() -> None:
    for method in ("tsne", "pca"):
        assert np.isfinite(project(groups(FEWEST_ITEMS[method], 2), method)["layout"]).all()


@pytest.mark.parametrize(
    ("perplexity", "items", "message"),
    [
        (30, 65, r"^perplexity must be below \(items - 1\) / 3; got 30 for 65 items: pass `perplexity=20`$"),
        (5, 16, r"got 5 for 16 items: pass `perplexity=4`$"),
        (float("nan"), 45, "perplexity must be below"),
        (0.5, 45, "perplexity must be at least 1; got 0.5: pass `perplexity=7`"),
    ],
)
def test_a_perplexity_that_does_not_fit_is_refused(perplexity: float, items: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        project(groups(items), perplexity=perplexity)


def test_other_methods_have_no_perplexity() -> None:
    with pytest.raises(InputError, match="perplexity is for t-SNE; got it with PCA: leave it out"):
        project(groups(), "pca", perplexity=5)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="unknown method 'isomap': there is tsne, umap, pca"):
        project(groups(), "isomap")


@pytest.mark.parametrize("method", METHODS)
def test_too_few_items_are_refused(method: str) -> None:
    with pytest.raises(InputError, match=f"needs at least {FEWEST_ITEMS[method]} positions; got 3$"):
        project(groups(3), method)


def test_too_few_items_for_tsne_suggest_pca() -> None:
    with pytest.raises(InputError, match="t-SNE needs at least 8 positions; got 7: pass `method=pca`"):
        project(groups(7))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_with_their_step(value: float) -> None:
    data = groups()
    data.loc[{"step": 200, "position": 3, "dim": 4}] = value
    with pytest.raises(InputError, match="position_table of step 200 contains values that are not finite"):
        project(data, "pca")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_three_axes_show_more_than_two(method: str) -> None:
    data = groups()
    flat, deep = (project(data, method, n_axes=n) for n in (2, 3))
    assert list(deep["axis"].values) == ["x", "y", "z"]
    assert deep["layout"].shape == (*data.shape[:2], 3)
    assert float(deep["recall"].mean()) > float(flat["recall"].mean())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_cosine_does_not_look_at_lengths(method: str) -> None:
    data = groups()
    lengths = 2.0 ** np.random.default_rng(0).integers(-3, 4, size=(1, data.shape[1], 1))  # powers of two: exact
    one, other = (project(some, method, metric="cosine") for some in (data, data * lengths))
    np.testing.assert_array_equal(one["layout"].values, other["layout"].values)
    assert one.attrs["metric"] == "cosine"


def test_a_projection_has_measures_of_fidelity_in_their_ranges() -> None:
    data = groups()
    tsne, pca = project(data), project(data, "pca")
    assert (pca["motion_floor"] == 0).all()
    assert 0 < tsne.attrs["motion_floor"] < 0.1
    for one in (tsne, pca):
        assert ((one["trust"] >= 0.25) & (one["trust"] <= 1)).all()
        for name in ("trustworthiness", "continuity", "recall"):
            assert ((one[name] >= 0) & (one[name] <= 1)).all()
        assert np.isnan(one["drawn_motion"].values[0]).all()
        assert np.isfinite(one["drawn_motion"].values[1:]).all()
    assert float(tsne["recall"][-1]) > float(tsne["recall"][0])  # noise first, then groups that two dimensions can show


def test_a_single_step_has_no_motion() -> None:
    projection = project(groups()[-1:])
    assert "drawn_motion" not in projection
    assert (projection["motion_floor"] == 0).all()


def test_items_that_start_equal_can_separate() -> None:
    """Equal rows stand together as long as they are equal, and not after."""
    vectors = np.random.default_rng(0).normal(size=(2, 30, 6))
    vectors[1, 15:] = vectors[1, :15]  # the last step: each row twice
    layout = project(trajectory(vectors))["layout"].values
    apart = np.linalg.norm(layout[:, 15:] - layout[:, :15], axis=-1).mean(axis=1)
    width = np.ptp(layout, axis=1).max(axis=1)
    assert apart[1] < 0.1 * width[1]
    assert apart[0] > 0.2 * width[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_axes": 4}, "2 or 3 axes; got 4"),
        ({"metric": "cityblock"}, "unknown metric 'cityblock': there is euclidean, cosine"),
    ],
)
def test_what_no_method_can_do_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        project(groups(), **options)  # type: ignore[arg-type]


def test_equal_vectors_cannot_be_laid_out() -> None:
    with pytest.raises(InputError, match="step 1: all 20 vectors are equal"):
        project(trajectory(np.ones((2, 20, 5))))
