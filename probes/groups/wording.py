"""Comparisons of a group with its nulls, in words: shares of other groups, p-values, and the sentence made of them.

A share is never rounded up to all: below 1% and from 99% on it is cut to tenths of a per cent. "All" and 100% are written only where
all groups were compared and all others are further apart; of groups that were drawn, another one might have come closer.

Sentences are English, with English numbers. A table in another language passes the function that writes its numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from data.arrays import TokenIds
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import Group, parse_group

if TYPE_CHECKING:
    import xarray as xr

NumberFormat = Callable[[float, int], str]
"""Writes a number with so many decimals, in the reader's language."""


def short_name(name: str, most: int = 26) -> str:
    """Cut the name of a group that is longer than ``most`` characters.

    Examples
    --------
    >>> short_name("vowels"), short_name("a, e, i, o, u, á, é, í, ó, ú")
    ('vowels', 'a, e, i, o, u, á, é, í, ó…')
    """
    return name if len(name) <= most else name[: most - 1].rstrip(", ") + "…"


def share_text(share: float, n_others: int, exact: bool, number: NumberFormat | None = None) -> str:
    """Write a share of other groups as a percentage.

    Parameters
    ----------
    share : from 0 to 1.
    n_others : how many other groups were compared.
    exact : whether these are all the groups there are.
    number : writes the numbers of a table; if None, they are written as in an English sentence.

    Examples
    --------
    >>> share_text(0.7634, 1000, False), share_text(0.0001, 50_000, False), share_text(1.0, 1000, False)
    ('76%', 'under 0.1%', '99.9%')
    >>> share_text(0.0001, 50_000, False, lambda value, decimals: f"{value:.{decimals}f}")
    '< 0.1%'
    """
    if not exact:
        share = min(share, n_others / (n_others + 1))
    percent = 100 * share + 1e-9  # 99.9 is a hair less in binary
    if share > 0 and percent < 0.1:
        return "under 0.1%" if number is None else f"< {number(0.1, 1)}%"
    is_cut = percent < 1 or 99 <= percent < 100
    value = floor(10 * percent) / 10 if is_cut else percent
    if number is not None:
        return f"{number(value, 1 if is_cut and share else 0)}%"
    return f"{value:g}%" if is_cut else f"{value:z.0f}%"


def p_value_text(p: float, number: NumberFormat | None = None) -> str:
    """Write a p-value: in a sentence with two decimals, or four below 0.01; in a table with two, or three below 0.1.

    Examples
    --------
    >>> p_value_text(0.0351), p_value_text(0.8333), p_value_text(0.0001), p_value_text(0.998)
    ('.04', '.83', '.0001', '1')
    >>> p_value_text(0.0351, lambda value, decimals: f"{value:.{decimals}f}".replace(".", ","))
    '0,035'
    """
    if number is not None:
        return f"< {number(0.001, 3)}" if p < 0.001 else number(p, 3 if p < 0.1 else 2)
    text = f"{p:z.2f}" if p >= 0.01 else f"{max(p, 0.0001):z.4f}"
    return "1" if float(text) == 1 else text.removeprefix("0")


def comparison_sentence(compared: xr.Dataset, step: int | None = None, *, counted: bool = False) -> str:
    """Write in a sentence how close together a group stands at a step.

    Parameters
    ----------
    compared : the result of `probes.groups.cohesion.compare` or `~probes.groups.cohesion.group_cohesion`.
    step : the last if None.
    counted : add how many groups were compared.

    Examples
    --------
    >>> import xarray as xr
    >>> from probes.groups.cohesion import compare
    >>> from probes.groups.nulls import neighbouring_groups, random_groups
    >>> line = xr.DataArray([[[0.0], [1.0], [4.0], [9.0]]], dims=("step", "item", "dim"), coords={"step": [100]})
    >>> comparison_sentence(compare(line, random_groups([0, 1], 4)))
    '0 1: closer than all other pairs'
    >>> comparison_sentence(compare(line, neighbouring_groups([1, 2], 4)), counted=True)  # 3 apart, the others 1 and 5
    '1 2: closer than 50% of the 2 other neighbouring pairs'
    """
    if step is not None and step not in compared["step"]:
        raise InputError(f"step {step} was not compared: choose one of the snapshots' steps")
    at = compared.isel(step=-1) if step is None else compared.sel(step=step)
    nulls = [at.isel({"null": place}) for place in range(at.sizes["null"])] if "null" in at.dims else [at]
    closer = "closer" if compared.attrs["metric"] == "euclidean" else "closer in direction"
    clauses = (f"{closer} than {_share_of(null, np.asarray(compared.attrs['members']), counted)}" for null in nulls)
    return f"{compared.attrs['highlight'].replace(', ', ' ')}: {', '.join(clauses)}"


@dataclass(frozen=True)
class GroupComparison:
    """The comparison of one group in words, for every step."""

    group: int
    """Its index among the highlighted groups, which decides its colour."""
    sentences: dict[int, str]
    """By step, e.g. ``"12 13 14: closer than 99.7% of random triples, closer than 76% of neighbouring triples"``."""
    p_values: dict[int, str]
    """By step, e.g. ``"p .04 and .84, corrected over steps"``."""


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
    run : the run in whose text tokens are counted.
    trajectory : (step, token or position, dim), the run's own table or a control with the same items.
    highlights : groups, or texts of one group each, see `probes.groups.naming`.
    metric : ``"euclidean"`` or ``"cosine"``.
    warn : warn of groups that cannot be compared (of one item, or of all), which are left out, and of nulls that are not available.
    """
    from probes.groups.cohesion import compare_with_nulls

    found = []
    labels = [str(label) for label in trajectory[trajectory.dims[1]].values]
    steps = [int(step) for step in trajectory["step"].values]
    corrected = ", corrected over steps" if len(steps) > 1 else ""
    for index, highlight in enumerate(highlights):
        try:
            group = parse_group(highlight, labels)
            compared, missing = compare_with_nulls(run, trajectory, group, metric=metric)
        except InputError as error:
            if warn:
                name = highlight.name if isinstance(highlight, Group) else highlight
                warnings.warn(f"highlight {name!r}: no comparison is shown: {error}", stacklevel=2)
            continue
        if missing and warn:
            warnings.warn(missing, stacklevel=3)
        # In a sentence the name has no commas, and is cut.
        named = compared.assign_attrs(highlight=short_name(group.name.replace(", ", " ")))
        texts = [" and ".join(p_value_text(float(p)) for p in values) for values in named["p_corrected"].values]
        p_values = {step: f"p {text}{corrected}" for step, text in zip(steps, texts, strict=True)}
        found.append(GroupComparison(index, {step: comparison_sentence(named, step) for step in steps}, p_values))
    return tuple(found)


def _share_of(null: xr.Dataset, members: TokenIds, counted: bool) -> str:
    share, exact, kind = float(null["percentile"]), bool(null["exact"]), _kind(str(null["null"].values), members)
    n_others = int(null["n_groups"]) - exact
    number = f"{n_others:,} " if counted else ""
    other = f"{number}other {kind.removeprefix('random ')}"  # where all were compared, nothing was left to chance
    if share == 0:
        return f"none of the {other}" if exact else f"none of {number}{kind}"
    if share == 1 and exact:
        return f"all {other}"
    return f"{share_text(share, n_others, exact)} of {f'the {other}' if counted and exact else f'{number}{kind}'}"


def _kind(null: str, members: TokenIds) -> str:
    size = {2: "pairs", 3: "triples"}.get(len(members), f"groups of {len(members)}")
    if null == "neighbouring":
        return f"neighbouring {size}" if np.ptp(members) == len(members) - 1 else f"{size} with the same gaps"
    return f"{size} matched on frequency" if null == "matched" else f"random {size}"
