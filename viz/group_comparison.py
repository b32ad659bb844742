"""What may be said of the highlighted groups at every step of a film, in the words of `probes.groups.cohesion`, and how sure it is."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import InputError
from data.runs import Run
from viz.drawing.legend import short_name

if TYPE_CHECKING:
    import xarray as xr

    from probes.groups.naming import Group
    from probes.groups.nulls import Null


@dataclass(frozen=True)
class GroupComparison:
    """A comparison of one group in words, for every step.

    Parameters
    ----------
    group : the number of the group among those highlighted, which decides its colour.
    sentences : by step, e.g. ``"12 13 14: closer than 99.7% of random triples, closer than 76% of neighbouring triples"``.
    p_values : by step, e.g. ``"p .04 and .84, corrected over steps"``.
    """

    group: int
    sentences: dict[int, str]
    p_values: dict[int, str]


def compare_groups(
    run: Run, what: str, highlights: Sequence[str], metric: str = "euclidean", trajectory: xr.DataArray | None = None
) -> tuple[GroupComparison, ...]:
    """Compare every highlighted group of a run with its nulls, in the full space of the table.

    Parameters
    ----------
    what : ``positions`` or ``tokens``.
    highlights : as ``--highlight`` takes them.
    metric : ``euclidean`` or ``cosine``.
    trajectory : the run's table, where it has been read already.

    Returns
    -------
    A claim for each group that can be compared; a warning says why another cannot (a group of one item, or of all).
    """
    from probes.groups.cohesion import group_cohesion

    found = []
    for number, wanted in enumerate(highlights):
        try:
            with _told_once():
                compared = group_cohesion(run, what, wanted, metric=metric, trajectory=trajectory)
        except InputError as error:
            warnings.warn(f"highlight {wanted!r}: no comparison is shown: {error}", stacklevel=2)
            continue
        against = [compared.isel({"null": place}) for place in range(compared.sizes["null"])]
        found.append(_claim(number, compared.attrs["highlight"], against))
    return tuple(found)


def compare_groups_in(
    trajectory: xr.DataArray, run: Run, groups: Sequence[Group], metric: str = "euclidean"
) -> tuple[GroupComparison, ...]:
    """Compare groups of items with the same nulls in a trajectory that is no run's own (a control), as `compare_groups` does.

    Groups that cannot be compared are left out without a word, since `compare_groups` has said why.
    """
    from probes.groups.cohesion import compare

    found = []
    for number, group in enumerate(groups):
        nulls = _nulls(run, str(trajectory.dims[1]), group, trajectory.shape[1])
        if nulls:
            found.append(_claim(number, group.name, [compare(trajectory, null, metric=metric) for null in nulls]))
    return tuple(found)


def _nulls(run: Run, item: str, group: Group, n_items: int) -> list[Null]:
    from probes.groups.nulls import matched_groups, neighbouring_groups, random_groups

    nulls: list[Null] = []
    try:
        nulls.append(random_groups(group.members, n_items))
        if item == "position":
            nulls.append(neighbouring_groups(group.members, n_items))
        else:
            from probes.texts import token_counts

            nulls.append(matched_groups(group.members, token_counts(run, None)))
    except InputError:
        pass
    return nulls


def _claim(number: int, name: str, against: Sequence[xr.Dataset]) -> GroupComparison:
    from probes.groups.cohesion import sentence

    # In a sentence a name has no comma, see probes.groups.cohesion.sentence; so what follows it can be joined to another's.
    short = short_name(name.replace(", ", " "))
    named = [compared.assign_attrs(highlight=short) for compared in against]
    sentences, p_values = {}, {}
    steps = [int(step) for step in named[0]["step"].values]
    for place, step in enumerate(steps):
        first, *others = (sentence(compared, step) for compared in named)
        sentences[step] = ", ".join([first, *(other.removeprefix(f"{short}: ") for other in others)])
        shown = " and ".join(p_value(float(compared["p_corrected"][place])) for compared in named)
        p_values[step] = f"p {shown}, corrected over steps" if len(steps) > 1 else f"p {shown}"
    return GroupComparison(number, sentences, p_values)


def p_value(p: float) -> str:
    """Return a p-value with two decimals, with four where it is below 0.01.

    Examples
    --------
    >>> p_value(0.0351), p_value(0.8333), p_value(0.0001), p_value(0.998)
    ('.04', '.83', '.0001', '1')
    """
    text = f"{p:.2f}" if p >= 0.01 else f"{max(p, 0.0001):.4f}"
    return "1" if float(text) == 1 else text.removeprefix("0")


@contextlib.contextmanager
def _told_once() -> Iterator[None]:
    """Leave out what reading the table for the picture has said already: which snapshots are damaged."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="snapshot of step .* it is left out")
        yield
