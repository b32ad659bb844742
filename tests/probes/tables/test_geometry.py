"""The geometry of a run's token table is that of each of its tables."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from data.errors import InputError
from data.runs import Run
from probes.tables.embeddings import token_embeddings
from probes.tables.geometry import token_geometry


def test_the_geometry_of_a_run(run: Run) -> None:
    tables = token_embeddings(run)
    tokens = list(tables["token"].values)
    counts = Counter({token: place % 7 for place, token in enumerate(tokens)})
    found = token_geometry(run, counts)
    xr.testing.assert_identical(found, token_geometry(run, [place % 7 for place in range(len(tokens))]))
    assert list(found["sha256"].values) == [record["sha256"] for record in run.manifest()]
    assert found["norm"].dims == found["drift"].dims == ("step", "token")
    assert found["singular_value"].dims == ("step", "component")
    assert found["component"].values[0] == 1
    for place, table in enumerate(tables.values.astype(np.float64)):
        at = found.isel(step=place)
        np.testing.assert_allclose(at["norm"], np.sqrt((table**2).sum(1)))
        np.testing.assert_allclose(at["drift"], np.sqrt(((table - tables.values[0]) ** 2).sum(1)), atol=1e-12)
        np.testing.assert_allclose((at["singular_value"] ** 2).sum(), table.var(0).sum() * len(table))
        kept = np.arange(len(tokens)) % 7 > 0
        expected = spearmanr(np.log(np.arange(len(tokens))[kept] % 7), at["norm"].values[kept]).statistic
        assert float(at["norm_frequency"]) == pytest.approx(expected)
    assert float(found["cka_with_last"][-1]) == pytest.approx(1)
    assert float(found["neighbours_as_last"][-1]) == 1
    assert found["neighbours_as_last"].attrs == {"k": 10, "chance": 10 / (len(tokens) - 1)}
    assert float(found["isotropy"][0]) == pytest.approx(
        found["isotropy"].attrs["white"], rel=0.1
    )  # drawn as white noise
    assert "norm_frequency" not in token_geometry(run)


def test_frequencies_that_cannot_be_used_are_refused(run: Run) -> None:
    tokens = token_embeddings(run).sizes["token"]
    for frequencies, message in [
        ({"a": 3, "Ω": 1}, "name 'Ω', which is no token"),
        ([1, 2], rf"each of {tokens} tokens; got an array of shape \(2,\)"),
        (np.full(tokens, -1), "counts of 0 or more"),
        ({"a": 3}, "two tokens at least"),
    ]:
        with pytest.raises(InputError, match=message):
            token_geometry(run, frequencies)


def test_the_shape_of_a_table_is_that_of_the_tokens_geometry(run: Run) -> None:
    from probes.tables.geometry import shape_difference, table_shape

    geometry, shape = token_geometry(run), table_shape(token_embeddings(run))
    for name in ("effective_rank", "stable_rank", "mean_cosine", "isotropy"):
        np.testing.assert_allclose(shape[name], geometry[name])
    np.testing.assert_allclose(shape["mean_norm"], geometry["norm"].mean("token"))
    assert shape["isotropy"].attrs == geometry["isotropy"].attrs
    later = shape["mean_norm"].isel(step=slice(1, None)) + 1
    difference = shape_difference(shape["mean_norm"], later)
    assert list(difference["step"].values) == list(later["step"].values)
    np.testing.assert_allclose(difference, 1)
