"""Comparisons of highlighted groups with their nulls at every step of a film, in words."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import InputError
from data.runs import Run
from probes.groups.naming import Group, parse_group
from probes.groups.wording import comparison_sentence, p_value_text, short_name

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class GroupComparison:
    """The comparison of one group in words, for every step.

    Parameters
    ----------
    group : the index of the group among those highlighted, which decides its colour.
    sentences : by step, e.g. ``"12 13 14: closer than 99.7% of random triples, closer than 76% of neighbouring triples"``.
    p_values : by step, e.g. ``"p .04 and .84, corrected over steps"``.
    """

    group: int
    sentences: dict[int, str]
    p_values: dict[int, str]


def compare_groups(
    run: Run,
    trajectory: xr.DataArray,
    highlights: Sequence[str | Group],
    *,
    metric: str = "euclidean",
    warn: bool = True,
) -> tuple[GroupComparison, ...]:
    """Compare groups of a table with their nulls, in the full space.

    Parameters
    ----------
    run : the run whose text tells the frequencies of tokens.
    trajectory : (step, token or position, dim), the run's own table or a control with the same items.
    highlights : groups, or texts of one group each, see `probes.groups.naming`.
    metric : ``"euclidean"`` or ``"cosine"``.
    warn : warn of groups that cannot be compared (a group of one item, or of all), and of a null that cannot be had.

    Returns
    -------
    A comparison for each group that can be compared.
    """
    found = []
    labels = [str(label) for label in trajectory[trajectory.dims[1]].values]
    for index, highlight in enumerate(highlights):
        try:
            found.append(_comparison(run, trajectory, index, parse_group(highlight, labels), metric=metric, warn=warn))
        except InputError as error:
            if warn:
                name = highlight.name if isinstance(highlight, Group) else highlight
                warnings.warn(f"highlight {name!r}: no comparison is shown: {error}", stacklevel=2)
    return tuple(found)


def _comparison(
    run: Run, trajectory: xr.DataArray, index: int, group: Group, *, metric: str, warn: bool
) -> GroupComparison:
    from probes.groups.cohesion import compare_with_nulls

    compared, missing = compare_with_nulls(run, trajectory, group, metric=metric)
    if missing and warn:
        warnings.warn(missing, stacklevel=4)
    # In a sentence the name has no commas, and is cut.
    named = compared.assign_attrs(highlight=short_name(group.name.replace(", ", " ")))
    steps = [int(step) for step in named["step"].values]
    corrected = ", corrected over steps" if len(steps) > 1 else ""
    texts = [" and ".join(p_value_text(float(p)) for p in values) for values in named["p_corrected"].values]
    return GroupComparison(
        index,
        {step: comparison_sentence(named, step) for step in steps},
        {step: f"p {text}{corrected}" for step, text in zip(steps, texts, strict=True)},
    )
