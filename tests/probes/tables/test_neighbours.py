"""Neighbours are those of the full space: found again by brute force, the same each time, with the labels of the table."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.distance import cosine

from data.errors import InputError
from data.runs import Run
from probes.tables.embeddings import position_embeddings, token_embeddings
from probes.tables.neighbours import nearest_neighbours, neighbours_of_all, neighbours_of_one


@pytest.fixture(params=["tokens", "positions"])
def table(request: pytest.FixtureRequest, run: Run) -> xr.DataArray:
    return token_embeddings(run) if request.param == "tokens" else position_embeddings(run)


def distances_from(vectors: np.ndarray, item: int, metric: str) -> np.ndarray:
    vectors = vectors.astype(np.float64)
    if metric == "euclidean":
        far = np.linalg.norm(vectors - vectors[item], axis=1)
    else:
        far = 1 - vectors @ vectors[item] / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[item]))
    far[item] = np.inf
    return far


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbours_of_one_are_the_nearest_by_brute_force(table: xr.DataArray, metric: str) -> None:
    before = table.copy(deep=True)
    found = neighbours_of_one(table, 3, metric=metric)
    for at, vectors in enumerate(table.values):
        far = distances_from(vectors, 3, metric)
        np.testing.assert_allclose(found["distance"][at], np.sort(far)[:10], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(far[found["neighbour"].values[at]], np.sort(far)[:10], rtol=1e-3, atol=1e-5)
    xr.testing.assert_identical(found, neighbours_of_one(table, 3, metric=metric))
    xr.testing.assert_identical(table, before)
    assert found["step"].values.tolist() == table["step"].values.tolist()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbours_of_all_are_the_nearest_by_brute_force(table: xr.DataArray, metric: str) -> None:
    found = neighbours_of_all(table, k=3, metric=metric)
    assert found.dims == ("step", table.dims[1], "rank")
    assert found.shape == (*table.shape[:2], 3)
    for at, vectors in enumerate(table.values):
        for item in range(table.shape[1]):
            far, nearest = distances_from(vectors, item, metric), found.values[at, item]
            assert item not in nearest
            np.testing.assert_allclose(np.sort(far[nearest]), np.sort(far)[:3], rtol=1e-3, atol=1e-5)
    assert (found["sha256"] == table["sha256"]).all()
    xr.testing.assert_identical(found, neighbours_of_all(table, k=3, metric=metric))


def test_a_small_table_has_fewer_neighbours(table: xr.DataArray) -> None:
    few = table[:, :4]
    assert neighbours_of_all(few).sizes["rank"] == 3
    assert neighbours_of_one(few, 0).sizes["rank"] == 3


def test_the_neighbours_of_a_token(run: Run) -> None:
    found = nearest_neighbours(run, "a", k=4)
    assert found["neighbour"].dims == ("step", "rank")
    assert list(found["rank"].values) == [1, 2, 3, 4]
    table = token_embeddings(run).sel(step=60).astype(np.float64)
    to_a = {str(t): 1 - cosine(table.sel(token="a"), table.sel(token=t)) for t in table["token"].values if t != "a"}
    best = sorted(to_a, key=lambda token: -to_a[token])[:4]
    assert list(found["neighbour"].sel(step=60).values) == best
    np.testing.assert_allclose(found["similarity"].sel(step=60), [to_a[token] for token in best])


def test_a_token_or_a_number_of_neighbours_that_there_is_not_is_refused(run: Run) -> None:
    tokens = token_embeddings(run).sizes["token"]
    with pytest.raises(InputError, match=rf"has no token 'Ω'; it has '\\n', ' ', .* and {tokens - 8} more"):
        nearest_neighbours(run, "Ω")
    for k in (0, tokens):
        with pytest.raises(InputError, match=f"k must be from 1 to {tokens - 1}, .*; got {k}:"):
            nearest_neighbours(run, "a", k)
