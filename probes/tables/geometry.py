"""The shape of the token table at every snapshot: spread, norms, drift, agreement with the last table, nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from data.arrays import FloatArray
from data.errors import InputError
from data.runs import Run
from probes.tables.agreement import FEWEST_ITEMS, debiased_cka, nearest, neighbour_overlap, rank_correlation
from probes.tables.embeddings import token_embeddings
from probes.tables.spread import effective_rank, iso_score, mean_cosine, singular_values, stable_rank, white_iso_score


def token_geometry(run: Run, frequencies: Mapping[str, float] | ArrayLike | None = None) -> xr.Dataset:
    """Measure the shape of the token table at every whole snapshot.

    Parameters
    ----------
    run : the run to read.
    frequencies : counts of each token in a text: by token (0 for tokens that are not named), or an array (token,).

    Returns
    -------
    Dataset, float64, with the coordinates of `~probes.tables.embeddings.token_embeddings` and ``component`` (1 is the largest):

    - over (step,): ``mean_cosine``, ``isotropy`` (attribute ``white``: what white noise of this shape gives), ``effective_rank`` and
      ``stable_rank`` (of the column-centred table), ``cka_with_last`` (debiased, linear), ``neighbours_as_last`` (attributes ``k``
      and ``chance``), and with frequencies ``norm_frequency``;
    - over (step, token): ``norm``, and ``drift`` from the row of the first snapshot;
    - over (step, component): ``singular_value`` of the column-centred table.

    Raises
    ------
    InputError
        If the run has no whole snapshot or fewer than four tokens, or the frequencies do not fit its tokens.
    """
    trajectory = token_embeddings(run)
    tokens = list(trajectory["token"].values)
    if len(tokens) < FEWEST_ITEMS:
        raise InputError(f"run {run.name!r} has {len(tokens)} tokens: their geometry needs {FEWEST_ITEMS} or more")
    counts = None if frequencies is None else _counts(frequencies, tokens)
    first, last = (trajectory.values[place].astype(np.float64) for place in (0, -1))
    # Ten, as in the literature; fewer where ten would be so many of the tokens that any two tables agreed by chance.
    k = max(1, min(10, (len(tokens) - 1) // 4))
    steps, final = [], nearest(last, k)
    for values in trajectory.values:
        table = values.astype(np.float64)
        spectrum = singular_values(table)
        step: dict[str, Any] = {
            "mean_cosine": mean_cosine(table),
            "isotropy": iso_score(table),
            "effective_rank": effective_rank(spectrum),
            "stable_rank": stable_rank(spectrum),
            "norm": np.linalg.norm(table, axis=1),
            "singular_value": spectrum,
            "cka_with_last": debiased_cka(table, last),
            "neighbours_as_last": neighbour_overlap(nearest(table, k), final),
            "drift": np.linalg.norm(table - first, axis=1),
        }
        if counts is not None:
            step["norm_frequency"] = rank_correlation(counts[counts > 0], step["norm"][counts > 0])
        steps.append(step)
    dataset = over_steps(trajectory, steps, {"norm": "token", "drift": "token", "singular_value": "component"})
    dataset["isotropy"].attrs["white"] = white_iso_score(*first.shape)
    dataset["neighbours_as_last"].attrs.update(k=k, chance=k / (len(tokens) - 1))
    return dataset


def table_shape(trajectory: xr.DataArray) -> xr.Dataset:
    """Measure the shape of any table at every step, of tokens or positions.

    Parameters
    ----------
    trajectory : a table over steps, (step, token or position, dim).

    Returns
    -------
    Dataset over (step,), float64: ``effective_rank`` and ``stable_rank`` of the column-centred table, ``mean_cosine`` (anisotropy),
    ``isotropy`` (attribute ``white``: what white noise of this shape gives), and ``mean_norm``, the mean length of the vectors.

    Examples
    --------
    >>> square = np.array([[[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]]])
    >>> shape = table_shape(xr.DataArray(square, dims=("step", "token", "dim"), coords={"step": [0]}))
    >>> {name: round(float(values[0]), 4) for name, values in shape.items()}
    {'effective_rank': 2.0, 'stable_rank': 2.0, 'mean_cosine': -0.3333, 'isotropy': 1.0, 'mean_norm': 2.0}
    """
    steps: list[dict[str, float]] = []
    for values in np.nan_to_num(trajectory.values):
        table = values.astype(np.float64)
        spectrum = singular_values(table)
        steps.append(
            {
                "effective_rank": effective_rank(spectrum),
                "stable_rank": stable_rank(spectrum),
                "mean_cosine": mean_cosine(table),
                "isotropy": iso_score(table),
                "mean_norm": float(np.linalg.norm(table, axis=1).mean()),
            }
        )
    variables = {name: (("step",), np.array([step[name] for step in steps])) for name in steps[0]}
    dataset = xr.Dataset(variables, coords={"step": trajectory["step"].values})
    dataset["isotropy"].attrs["white"] = white_iso_score(*trajectory.shape[1:])
    return dataset


def shape_difference(shape: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """Subtract a measure (step,) of one run from that of another, at the steps at which both have a snapshot.

    Examples
    --------
    >>> one, two = (xr.DataArray([1.0, n], {"step": [0, step]}, ("step",)) for n, step in ((2.0, 5), (4.0, 5)))
    >>> shape_difference(one, two).values.tolist()
    [0.0, 2.0]
    """
    steps = np.intersect1d(shape["step"].values, other["step"].values)
    return xr.DataArray(other.sel(step=steps).values - shape.sel(step=steps).values, {"step": steps}, ("step",))


def over_steps(trajectory: xr.DataArray, steps: list[dict[str, Any]], second: Mapping[str, str]) -> xr.Dataset:
    """Stack the values of each step into a dataset over (step,), or (step, dimension) for the variables named in ``second``."""
    variables = {
        name: (("step", second[name]) if name in second else ("step",), np.array([step[name] for step in steps]))
        for name in steps[0]
    }
    dataset = xr.Dataset(variables, coords=trajectory.coords, attrs={"run": trajectory.attrs["run"]})
    numbered = {name: np.arange(1, dataset.sizes[name] + 1) for name in ("component", "rank") if name in dataset.sizes}
    return dataset.assign_coords(numbered)


def _counts(frequencies: Mapping[str, float] | ArrayLike, tokens: list[str]) -> FloatArray:
    if isinstance(frequencies, Mapping):
        unknown = [token for token in frequencies if token not in tokens]
        if unknown:
            raise InputError(f"frequencies name {unknown[0]!r}, which is no token of this run: leave it out")
        frequencies = [frequencies.get(token, 0) for token in tokens]
    counts = np.asarray(frequencies, dtype=np.float64)
    if counts.shape != (len(tokens),):
        got = f"got an array of shape {counts.shape}"
        raise InputError(f"frequencies must be a count for each of {len(tokens)} tokens; {got}")
    if not np.isfinite(counts).all() or counts.min() < 0 or np.count_nonzero(counts) < 2:
        raise InputError("frequencies must be counts of 0 or more, with two tokens at least that occur")
    return counts
