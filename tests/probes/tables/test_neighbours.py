"""Neighbours are those of the full space: found again by brute force, the same each time, with the labels of the table."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from data.runs import Run
from probes.tables.embeddings import position_embeddings, token_embeddings
from probes.tables.neighbours import neighbours_of_all, neighbours_of_one


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
