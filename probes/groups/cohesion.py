"""How close together a highlighted group stands at every snapshot, compared with null groups.

All distances are in the full space of the table, never in a projection. Cohesion is the mean distance of the pairs within a group over
that of all pairs: 1 if the group is as spread as the whole table, less if it is closer. Whether that is remarkable depends on what it
is compared with: a null from `probes.groups.nulls`. `group_cohesion` does this for a run, `probes.groups.wording` writes it in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from data.arrays import FloatArray
from data.errors import InputError
from data.notices import notify
from data.progress import Progress
from data.runs import Run
from probes.groups.naming import Group, parse_group
from probes.groups.nulls import DRAWS, Null, check_members, matched_groups, neighbouring_groups, random_groups
from probes.groups.pairs import ratios_to_all
from probes.tables.embeddings import read_table

METRICS = ("euclidean", "cosine")
QUANTILES = (0.05, 0.5, 0.95)
DEGENERATE = 1e-9  # if the cohesions of a null spread less than this, all are ties
TIE = 1e-6  # in standard deviations of the null; smaller differences are rounding


def cohesion(trajectory: xr.DataArray, members: Sequence[int], metric: str = "euclidean") -> xr.DataArray:
    """Compute the mean distance of the pairs within a group over the mean distance of all pairs, at every step.

    Where all items stand at one point, the cohesion is 1.

    Parameters
    ----------
    trajectory : (step, item, dim); the second dimension may have any name.
    members : the indices of the group along the items.
    metric : ``"euclidean"``, or ``"cosine"`` (1 minus the cosine; that of a zero row with anything is 0).

    Returns
    -------
    Trajectory with the dimension (step,), float64, without a unit: it does not change when the table is moved, rotated or scaled
    (for cosines: rotated or scaled).

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

    Trajectory and metric are as in `cohesion`; the null holds the groups to compare with, including the observed group.

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
        # Standard deviations of the null by which each group is below its mean, (group, step); 0 if all are tied.
        below_mean, deviation = ratios.mean(axis=0) - ratios, ratios.std(axis=0)
        z = np.divide(below_mean, deviation, out=np.zeros_like(ratios), where=deviation > DEGENERATE)
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
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare a highlighted group of a run with random groups, and with those that fit: neighbouring, or matched on frequency.

    Parameters
    ----------
    run : the run to read.
    what : ``"positions"`` or ``"tokens"``.
    highlight : labels or class names, ``"12,13,14"`` or ``"vowels"`` (see `probes.groups.naming`), or a group.
    metric : as in `cohesion`.
    steps : the first and the last step to compare; all if None. The correction is for these steps.
    seed, draws : seed and number of the groups that are drawn where there are too many.
    text : a text file to count tokens in, instead of the run's own corpus.
    trajectory : the table, if it has been read already.
    progress : called with the number of snapshots read so far.

    Returns
    -------
    As `compare`, with the dimension ``null`` after ``step``: ``"random"`` first, then ``"neighbouring"`` or ``"matched"``. If the second
    is not available, because the run's text is gone for example, it is left out with a warning.

    Raises
    ------
    InputError
        If the run has no such table, the highlight names nothing in it, or ``text`` cannot be used.
    """
    trajectory = read_table(run, what, progress=progress) if trajectory is None else trajectory
    if steps is not None:
        trajectory = trajectory.sel(step=slice(*steps))
        if not trajectory.sizes["step"]:
            raise InputError(f"there is no snapshot from step {steps[0]} to {steps[1]}: choose others, or all of them")
    group = parse_group(highlight, list(trajectory[trajectory.dims[1]].values))
    compared, missing = compare_with_nulls(run, trajectory, group, metric=metric, seed=seed, draws=draws, text=text)
    if missing:
        notify(missing)
    return compared


def compare_with_nulls(
    run: Run,
    trajectory: xr.DataArray,
    group: Group,
    *,
    metric: str = "euclidean",
    seed: int = 0,
    draws: int = DRAWS,
    text: Path | None = None,
) -> tuple[xr.Dataset, str | None]:
    """Compare a group of a table, or of a control of it, with random groups and with those that fit.

    Returns the comparison, as `group_cohesion` does, and why the second null is missing, or None if it is not.
    """
    is_positions, n_items = trajectory.dims[1] == "position", trajectory.shape[1]
    nulls, missing = [random_groups(group.members, n_items, seed=seed, draws=draws)], None
    try:
        if is_positions:
            nulls.append(neighbouring_groups(group.members, n_items))
        else:
            from probes.texts import token_counts

            counts = token_counts(run, text)
            if "token_id" in trajectory.coords:
                counts = counts[trajectory["token_id"].values]
            nulls.append(matched_groups(group.members, counts, seed=seed, draws=draws))
    except InputError as error:
        if text is not None and not is_positions:
            raise
        missing = f"{group.name}: compared with random groups only: {error}"
    compared = _side_by_side([compare(trajectory, null, metric=metric) for null in nulls])
    what = "positions" if is_positions else "tokens"
    return compared.assign_attrs(run=run.name, what=what, highlight=group.name), missing


def _against(ratios: FloatArray, z: FloatArray, observed: int) -> dict[str, FloatArray]:
    own, others = z[observed], len(z) - 1
    return {
        "cohesion": ratios[observed].copy(),  # a copy: a view would keep its whole block in memory
        "percentile": (z < own - TIE).sum(axis=0) / others,
        "p_value": (z >= own - TIE).mean(axis=0),
        "band": np.quantile(ratios, QUANTILES, axis=0).T,
        "z": own.copy(),
    }


def _side_by_side(compared: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join comparisons of one group with several nulls along ``null``; their common cohesion stays (step,)."""
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
