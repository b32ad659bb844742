"""How close together a highlighted group stands at every snapshot, against groups that nobody highlighted.

All distances are taken in the full space of the table, never in a picture. Cohesion is the mean distance of the pairs within a group
over that of all pairs: 1 if the group is as spread as everything, less if it is closer. Whether that is remarkable depends on what
it is compared with: a null from `probes.groups.nulls`. `group_cohesion` does it for a run, `sentence` says it in words.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import Group, parse_group
from probes.groups.nulls import DRAWS, Null, check_members, matched_groups, neighbouring_groups, random_groups
from probes.groups.pairs import ratios_to_all
from probes.tables.embeddings import position_embeddings, token_embeddings

METRICS = ("euclidean", "cosine")
QUANTILES = (0.05, 0.5, 0.95)
DEGENERATE = 1e-9  # a null whose cohesions spread less than this is all ties
TIE = 1e-6  # closer than this, in standard deviations of the null, is rounding


def cohesion(trajectory: xr.DataArray, members: Sequence[int], metric: str = "euclidean") -> xr.DataArray:
    """Return the mean distance of the pairs within a group over the mean distance of all pairs, at every step.

    Where all items stand at one point there is nothing to compare, and the cohesion is 1.

    Parameters
    ----------
    trajectory : (step, item, dim); the second dimension may have any name.
    members : the indices of the group along the items.
    metric : ``"euclidean"``, or ``"cosine"`` (1 minus the cosine; that of a zero row with anything is 0).

    Returns
    -------
    Trajectory with the dimension (step,), float64, without a unit: it does not change when the table is moved, turned or scaled
    (for cosines: turned or scaled).

    Raises
    ------
    InputError
        If the group has fewer than two members or is everything, or a step holds NaN or infinite values (which one).

    Examples
    --------
    >>> line = xr.DataArray([[[0.0], [1.0], [4.0]]], dims=("step", "item", "dim"), coords={"step": [100]})
    >>> cohesion(line, [0, 1]).item()  # 1 against (1 + 3 + 4) / 3
    0.375
    """
    group = check_members(members, _checked(trajectory, metric).shape[1])[None]
    ratios = [found[0] for found in ratios_to_all(trajectory.values, group, metric)]
    return xr.DataArray(np.concatenate(ratios), dims=("step",), coords=_of_steps(trajectory), name="cohesion")


def compare(trajectory: xr.DataArray, null: Null, *, metric: str = "euclidean") -> xr.Dataset:
    """Compare the cohesion of a group with that of the groups of a null, at every step.

    Parameters
    ----------
    trajectory, metric : as in `cohesion`.
    null : the groups to compare with, the observed one among them.

    Returns
    -------
    Dataset over (step,), float64, with the coordinates ``null`` (its name), ``n_groups`` and ``exact``:

    - ``cohesion``: that of the observed group;
    - ``percentile``: the share, from 0 to 1, of the *other* groups that are less cohesive; a tie is not less;
    - ``p_value``: the share of all groups, the observed one included, that are at least as cohesive;
    - ``p_corrected``: the same, corrected for looking at all these steps (single-step max-T; the statistic is the cohesion, less the
      null's mean, over the null's standard deviation at that step);
    - ``band`` (step, quantile): the null's cohesion at the quantiles 0.05, 0.5 and 0.95.

    At a step where the null does not spread at all, everything is a tie: percentile 0, p-values 1.

    Raises
    ------
    InputError
        As `cohesion`, or if the null is of other items.

    References
    ----------
    Phipson and Smyth 2010, "Permutation p-values should never be zero", Statistical Applications in Genetics and Molecular Biology
    9(1), article 39. Westfall and Young 1993, "Resampling-based multiple testing", chapter 2 (single-step max-T).
    """
    n_items = _checked(trajectory, metric).shape[1]
    check_members(null.members, n_items)
    if int(null.groups.max()) >= n_items:
        raise InputError(f"the null names item {null.groups.max()}, and there are {n_items}: make it for this table")
    found, best = [], np.full(len(null.groups), -np.inf)
    for ratios in ratios_to_all(trajectory.values, null.groups, metric):
        z = _standardised(ratios)
        np.maximum(best, z.max(axis=1), out=best)
        found.append(_against(ratios, z, null.observed))
    per_step = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    below = np.searchsorted(np.sort(best), per_step.pop("z") - TIE)
    per_step["p_corrected"] = (len(best) - below) / len(best)
    variables = {name: (("step", "quantile")[: values.ndim], values) for name, values in per_step.items()}
    coords = {"quantile": list(QUANTILES), "null": null.name, "n_groups": null.n_groups, "exact": null.exact}
    labels = trajectory[trajectory.dims[1]].values[list(null.members)]
    attrs = {"metric": metric, "members": list(null.members), "highlight": " ".join(map(str, labels))}
    return xr.Dataset(variables, coords={**_of_steps(trajectory), **coords}, attrs=attrs)


def group_cohesion(
    run: Run,
    what: str,
    highlight: str | Group,
    *,
    metric: str = "euclidean",
    steps: tuple[int, int] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    text: Path | None = None,
    trajectory: xr.DataArray | None = None,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Compare a highlighted group of a run with random groups, and with those that fit: neighbouring, or matched on frequency.

    Parameters
    ----------
    run : the run to read.
    what : ``"positions"`` or ``"tokens"``.
    highlight : labels or group names, as ``--highlight`` takes them: ``"12,13,14"``, ``"vowels"``; or a group that was found already.
    metric : as in `cohesion`.
    steps : the first and the last step to look at; all if None. The correction is for the steps that are looked at.
    seed, draws : for nulls of too many groups to take them all.
    text : a text file to count tokens in, instead of the run's own corpus.
    trajectory : the table, where it has been read already.
    progress : called with the number of snapshots read so far.

    Returns
    -------
    What `compare` returns, with the dimension ``null`` after ``step``: ``"random"`` first, then ``"neighbouring"`` or ``"matched"``.
    Where the second cannot be had (the run's text is gone, say), it is left out with a warning.

    Raises
    ------
    InputError
        If the run has no such table, the highlight names nothing in it, or ``text`` serves for no null; and as `cohesion`.
    """
    trajectory = _between(_table(run, what, progress) if trajectory is None else trajectory, steps)
    group = (
        highlight
        if isinstance(highlight, Group)
        else parse_group(highlight, list(trajectory[trajectory.dims[1]].values))
    )
    n_items = trajectory.shape[1]
    nulls = [random_groups(group.members, n_items, seed=seed, draws=draws)]
    try:
        if what == "positions":
            nulls.append(neighbouring_groups(group.members, n_items))
        else:
            from probes.texts import token_counts

            nulls.append(matched_groups(group.members, token_counts(run, text), seed=seed, draws=draws))
    except InputError as error:
        if text is not None and what == "tokens":
            raise
        warnings.warn(f"{group.name}: compared with random groups only: {error}", stacklevel=2)
    compared = _side_by_side([compare(trajectory, null, metric=metric) for null in nulls])
    return compared.assign_attrs(run=run.name, what=what, highlight=group.name)


def sentence(compared: xr.Dataset, step: int | None = None, *, counted: bool = False) -> str:
    """Say in words how close together a group stands at a step.

    Shares are rounded to whole per cent, but below 1 and from 99 on are cut to tenths, so that nothing is rounded up to 100%; "all"
    is said only where all groups were compared and all others are further apart.

    Parameters
    ----------
    compared : what `compare` or `group_cohesion` returned.
    step : the last if None.
    counted : say of how many groups.

    Raises
    ------
    InputError
        If the step was not compared.

    Examples
    --------
    >>> line = xr.DataArray([[[0.0], [1.0], [4.0], [9.0]]], dims=("step", "item", "dim"), coords={"step": [100]})
    >>> sentence(compare(line, random_groups([0, 1], 4)))
    '0 1: closer than all other pairs'
    >>> sentence(compare(line, neighbouring_groups([1, 2], 4)), counted=True)  # 3 apart, the others 1 and 5
    '1 2: closer than 50% of the 2 other neighbouring pairs'
    """
    if step is not None and step not in compared["step"]:
        raise InputError(f"step {step} was not compared: choose one of the snapshots' steps")
    at = compared.isel(step=-1) if step is None else compared.sel(step=step)
    nulls = [at.isel({"null": place}) for place in range(at.sizes["null"])] if "null" in at.dims else [at]
    closer = "closer" if compared.attrs["metric"] == "euclidean" else "closer in direction"
    clauses = (f"{closer} than {_share_of(null, np.asarray(compared.attrs['members']), counted)}" for null in nulls)
    return f"{compared.attrs['highlight'].replace(', ', ' ')}: {', '.join(clauses)}"


def _share_of(null: xr.Dataset, members: NDArray[Any], counted: bool) -> str:
    share, exact, kind = float(null["percentile"]), bool(null["exact"]), _kind(str(null["null"].values), members)
    others = int(null["n_groups"]) - exact
    number = f"{others:,} " if counted else ""
    other = f"{number}other {kind.removeprefix('random ')}"  # where all were compared, nothing was left to chance
    if share == 0:
        return f"none of the {other}" if exact else f"none of {number}{kind}"
    if share == 1 and exact:
        return f"all {other}"
    if not exact:
        share = min(share, others / (others + 1))  # none of those drawn came closer, but another might
    return f"{_percent(share)} of {f'the {other}' if counted and exact else f'{number}{kind}'}"


def _percent(share: float) -> str:
    percent = 100 * share + 1e-9  # 99.9 is a hair less in binary
    if percent < 0.1:
        return "under 0.1%"
    if percent < 1 or percent >= 99:
        return f"{floor(10 * percent) / 10:g}%"
    return f"{percent:.0f}%"


def _kind(null: str, members: NDArray[Any]) -> str:
    size = {2: "pairs", 3: "triples"}.get(len(members), f"groups of {len(members)}")
    if null == "neighbouring":
        return f"neighbouring {size}" if np.ptp(members) == len(members) - 1 else f"{size} with the same gaps"
    return f"{size} matched on frequency" if null == "matched" else f"random {size}"


def _standardised(ratios: FloatArray) -> FloatArray:
    """Return how many of the null's standard deviations each group is closer than its mean, (group, step); 0 if all are tied."""
    mean, deviation = ratios.mean(axis=0), ratios.std(axis=0)
    z = np.divide(mean - ratios, deviation, out=np.zeros_like(ratios), where=deviation > DEGENERATE)
    return np.asarray(z)


def _against(ratios: FloatArray, z: FloatArray, observed: int) -> dict[str, FloatArray]:
    own, others = z[observed], len(z) - 1
    return {
        "cohesion": ratios[observed].copy(),  # copies: a view would keep its whole block in memory
        "percentile": (z < own - TIE).sum(axis=0) / others,
        "p_value": (z >= own - TIE).mean(axis=0),
        "band": np.quantile(ratios, QUANTILES, axis=0).T,
        "z": own.copy(),
    }


def _side_by_side(compared: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join comparisons of one group with several nulls along ``null``; the cohesion, which is theirs in common, stays (step,)."""
    own = ["null", "n_groups", "exact"]
    shared = compared[0][["cohesion"]].drop_vars(own)
    parts = [one.drop_vars("cohesion").expand_dims("null") for one in compared]
    joined = xr.concat(parts, dim="null", coords=own[1:], join="exact", compat="override", combine_attrs="override")
    return xr.merge([shared, joined.transpose("step", "null", "quantile")], combine_attrs="override")


def _checked(trajectory: xr.DataArray, metric: str) -> xr.DataArray:
    if metric not in METRICS:
        raise InputError(f"there is no metric {metric!r}; there is {', '.join(METRICS)}")
    if trajectory.ndim != 3 or trajectory.dims[0] != "step" or trajectory.dims[2] != "dim":
        raise InputError(f"a trajectory has the dimensions (step, item, dim); got {trajectory.dims}")
    if not trajectory.sizes["step"]:
        raise InputError("the trajectory has no step: nothing can be compared")
    for place, table in enumerate(trajectory.values):
        if not np.isfinite(table).all():
            step = trajectory["step"].values[place]
            raise InputError(f"the vectors of step {step} hold NaN or infinite values: leave that step out")
    return trajectory


def _of_steps(trajectory: xr.DataArray) -> dict[str, Any]:
    return {str(name): coord for name, coord in trajectory.coords.items() if coord.dims == ("step",)}


def _table(run: Run, what: str, progress: Callable[[int], None] | None) -> xr.DataArray:
    tables = {"positions": position_embeddings, "tokens": token_embeddings}
    if what not in tables:
        raise InputError(f"there are no {what!r} to compare: choose positions or tokens")
    return tables[what](run, progress=progress)


def _between(trajectory: xr.DataArray, steps: tuple[int, int] | None) -> xr.DataArray:
    if steps is None:
        return trajectory
    chosen = trajectory.sel(step=slice(*steps))
    if not chosen.sizes["step"]:
        raise InputError(f"there is no snapshot from step {steps[0]} to {steps[1]}: choose others, or all of them")
    return chosen
