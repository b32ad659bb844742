"""Tables that are ordered by construction score high, white noise scores as the attribute ``white``, and other libraries agree."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import scipy.linalg
import xarray as xr
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity

from data.errors import InputError
from data.runs import Run
from probes.tables.embeddings import position_embeddings
from probes.tables.positions import (
    centred_cosines,
    low_bins,
    low_frequency_energy,
    position_similarity,
    position_structure,
    toeplitz_fraction,
)


def noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=shape)


def sinusoids(positions: int, cycles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sine and cosine of each position at frequencies of so many cycles over the table."""
    angle = 2 * np.pi * np.arange(positions)[:, None] * cycles / positions
    return np.hstack([np.sin(angle), np.cos(angle)])


def test_sinusoidal_positions_are_toeplitz() -> None:
    whole = sinusoids(32, np.array([1, 2, 5]))  # whole cycles: centring takes nothing away
    assert toeplitz_fraction(centred_cosines(whole + 3)) == pytest.approx(1)
    vaswani = sinusoids(32, 32 / (2 * np.pi) * 10_000.0 ** -(np.arange(32) / 32))
    assert 0.95 < toeplitz_fraction(centred_cosines(vaswani)) < 1
    shuffled = np.random.default_rng(0).permutation(whole)
    assert toeplitz_fraction(centred_cosines(shuffled)) < 0.2


def test_the_toeplitz_fraction_is_that_of_the_nearest_toeplitz_matrix() -> None:
    gram = centred_cosines(noise(9, 4))
    near = scipy.linalg.toeplitz([gram.diagonal(d).mean() for d in range(9)])
    pairs = np.tril_indices(9, -1)
    expected = 1 - np.var(gram[pairs] - near[pairs]) / np.var(gram[pairs])
    assert toeplitz_fraction(gram) == pytest.approx(expected, abs=1e-12)


def test_low_frequency_energy_is_the_projection_on_slow_cosines() -> None:
    table, positions = noise(18, 5) + 4, np.arange(18)
    slow = [np.cos(np.pi * (positions + 0.5) * k / 18) for k in range(1, low_bins(18) + 1)]
    basis = scipy.linalg.orth(np.array(slow).T)
    rows = table - table.mean(0)
    expected = np.square(basis.T @ rows).sum() / np.square(rows).sum()
    assert low_frequency_energy(table) == pytest.approx(expected, abs=1e-12)
    assert low_frequency_energy(slow[0][:, None]) == pytest.approx(1)
    assert low_frequency_energy(np.cos(np.pi * (positions + 0.5) * 17 / 18)[:, None]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("positions", "bins"), [(1, 0), (2, 1), (5, 1), (6, 2), (32, 8), (33, 8), (64, 16)])
def test_the_lowest_quarter_is_rounded_up(positions: int, bins: int) -> None:
    assert low_bins(positions) == bins


def test_white_noise_scores_as_the_attribute_white() -> None:
    tables = [noise(32, 64, seed=seed) for seed in range(150)]
    toeplitz = np.mean([toeplitz_fraction(centred_cosines(table)) for table in tables])
    assert toeplitz == pytest.approx(2 / 33, rel=0.1)
    assert np.mean([low_frequency_energy(table) for table in tables]) == pytest.approx(8 / 31, rel=0.02)


@pytest.mark.parametrize("table", [np.zeros((5, 3)), np.full((5, 3), 0.1), np.eye(5), np.ones((1, 3)), np.eye(2)])
def test_a_table_with_nothing_to_explain_scores_zero(table: NDArray[np.float64]) -> None:
    """In the unit matrix all pairs are equally far apart: no distance explains anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert toeplitz_fraction(centred_cosines(table)) == 0
        assert np.isfinite(low_frequency_energy(table))
    if len(np.unique(table, axis=0)) == 1:
        assert low_frequency_energy(table) == 0
        assert not centred_cosines(table).any()


def test_the_structure_of_a_run(run: Run) -> None:
    tables, found = position_embeddings(run), position_structure(run)
    assert set(found.dims) == {"step", "component"}
    assert list(found["sha256"].values) == [record["sha256"] for record in run.manifest()]
    positions = tables.sizes["position"]
    assert found["toeplitz_fraction"].attrs["white"] == pytest.approx(2 / (positions + 1))
    assert found["low_frequency_energy"].attrs["white"] == low_bins(positions) / (positions - 1)
    assert found["low_frequency_energy"].attrs["bins"] == (1, low_bins(positions))
    for place, table in enumerate(tables.values.astype(np.float64)):
        expected = scipy.linalg.svdvals(table - table.mean(0))
        np.testing.assert_allclose(found["singular_value"][place], expected, atol=1e-12)
        share = expected[:-1] / expected[:-1].sum()  # the last is 0: the rows are centred
        entropy = -sum(p * np.log(p) for p in share)
        assert float(found["effective_rank"][place]) == pytest.approx(np.exp(entropy))
        assert float(found["stable_rank"][place]) == pytest.approx((expected**2).sum() / expected[0] ** 2)
    xr.testing.assert_identical(found, position_structure(run))


def test_the_similarities_of_a_run(run: Run) -> None:
    tables, found = position_embeddings(run), position_similarity(run)
    assert found.dims == ("step", "position", "other")
    assert found.dtype == np.float32
    for table, gram in zip(tables.values, found.values, strict=True):
        np.testing.assert_allclose(gram, cosine_similarity(table - table.mean(0)), atol=1e-6)
    np.testing.assert_array_equal(found.values, found.transpose("step", "other", "position").values)
    assert float(np.abs(found).max()) <= 1
    assert "sha256" in found.coords


@pytest.mark.parametrize("probe", [position_structure, position_similarity])
def test_a_model_without_a_position_table_is_not_given_zeros(run: Run, probe: object) -> None:
    info = dict(Run(run.path).info)
    info["tensors"].pop("position_table")
    (run.path / "run.json").write_text(json.dumps(info))
    assert callable(probe)
    with pytest.raises(InputError, match="run 'tiny' has no position table: its model does not use one"):
        probe(Run(run.path))
