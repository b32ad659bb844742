"""Nearest neighbours in the full space of an embedding table, at every step."""

from __future__ import annotations

import numpy as np
import xarray as xr

from data.errors import InputError, list_names
from data.runs import Run
from probes.groups.naming import parse_label
from probes.tables.embeddings import token_embeddings
from probes.tables.geometry import over_steps
from probes.tables.spread import unit_rows


def nearest_neighbours(run: Run, token: str, k: int = 8) -> xr.Dataset:
    """Find the nearest neighbours of a token, by cosine, at every whole snapshot.

    Parameters
    ----------
    run : the run to read.
    token : the token, as in the coordinate ``token``, or as a highlight names it (``␣the``).
    k : number of neighbours; at most the number of other tokens.

    Returns
    -------
    Dataset with dimensions (step, rank), rank 1 being the nearest: ``neighbour``, the tokens, and ``similarity``, their cosines,
    float64. Among equal similarities the token with the smaller id comes first. The attribute ``token`` is the token.

    Raises
    ------
    InputError
        If the run has no such token, or fewer than ``k`` others.
    """
    trajectory = token_embeddings(run)
    tokens = list(trajectory["token"].values)
    place = parse_label(token, tokens)
    if place is None:
        known = list_names(map(repr, tokens))
        raise InputError(f"run {run.name!r} has no token {token!r}; it has {known}")
    if not 1 <= k < len(tokens):
        raise InputError(f"k must be from 1 to {len(tokens) - 1}, the number of other tokens; got {k}: pass such a k")
    steps = []
    for values in trajectory.values:
        directions = unit_rows(values.astype(np.float64))
        similarity = np.clip(directions @ directions[place], -1.0, 1.0)
        similarity[place] = -np.inf
        chosen = np.argsort(-similarity, kind="stable")[:k]
        steps.append({"neighbour": trajectory["token"].values[chosen], "similarity": similarity[chosen]})
    dataset = over_steps(trajectory, steps, {"neighbour": "rank", "similarity": "rank"}).drop_vars("token")
    return dataset.assign_attrs(token=tokens[place])


def neighbours_of_all(trajectory: xr.DataArray, k: int = 5, *, metric: str = "euclidean") -> xr.DataArray:
    """Find the nearest neighbours of every item at every step.

    Parameters
    ----------
    trajectory : a table over steps, (step, token or position, dim).
    k : number of neighbours; of a smaller table, all other items.
    metric : euclidean or cosine.

    Returns
    -------
    Numbers of the neighbours, (step, token or position, rank), nearest first, int64.

    Examples
    --------
    >>> places = np.array([[[0.0], [1.0], [1.5], [5.0]]])
    >>> table = xr.DataArray(places, dims=("step", "token", "dim"), coords={"step": [0], "token": list("abcd")})
    >>> neighbours_of_all(table, k=2).sel(step=0, token="a").values.tolist()
    [1, 2]
    """
    from sklearn.neighbors import NearestNeighbors

    k = min(k, trajectory.shape[1] - 1)
    found = [
        NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(table).kneighbors(return_distance=False)
        for table in np.nan_to_num(trajectory.values)
    ]
    item = str(trajectory.dims[1])
    coords = {name: trajectory[name] for name in ("step", item, "sha256") if name in trajectory.coords}
    return xr.DataArray(np.array(found), dims=("step", item, "rank"), coords=coords, name="neighbour")


def neighbours_of_one(trajectory: xr.DataArray, item: int, k: int = 10, *, metric: str = "euclidean") -> xr.Dataset:
    """Find the nearest neighbours of one item at every step, with their distances.

    Trajectory, ``k`` and metric are as in `neighbours_of_all`; ``item`` is the number of the item.

    Returns
    -------
    ``neighbour`` (step, rank), numbers of the neighbours, nearest first, int64; among equal distances the smaller number comes first.
    ``distance`` (step, rank), their distances, in the dtype of the table.
    """
    from sklearn.metrics import pairwise_distances

    k = min(k, trajectory.shape[1] - 1)
    numbers, distances = [], []
    for table in trajectory.values:
        far = pairwise_distances(table[item : item + 1], table, metric=metric)[0]
        far[item] = np.inf
        order = np.argsort(far, kind="stable")[:k]
        numbers.append(order)
        distances.append(far[order])
    coords = {name: trajectory[name] for name in ("step", "sha256") if name in trajectory.coords}
    dims = ("step", "rank")
    return xr.Dataset({"neighbour": (dims, np.array(numbers)), "distance": (dims, np.array(distances))}, coords)
