"""What was found in an embedding table: whether its positions line up and its groups gather, tested and put into words.

All of it is measured in the full space, never in a projection. `probes.tables.order` and `probes.groups.cohesion` compute it, and
`probes.groups.wording` writes it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from data.errors import InputError
from data.language import say
from data.runs import Run
from probes.groups.cohesion import compare, compare_with_nulls
from probes.groups.naming import Group, parse_group
from probes.groups.nulls import random_groups
from probes.groups.symbols import display
from probes.groups.wording import (
    Claim,
    apart_sentence,
    comparison_sentence,
    group_claim,
    order_claim,
    order_sentence,
    p_value_text,
    short_name,
    title_of,
)
from probes.tables.order import order_along_path

LARGEST_CLASS = 100
"""Classes of more tokens are not compared: drawing as many groups of that size would take minutes."""
MOST_APART = 0.25
"""No more than this share of a group stands apart from it."""
HALF = 0.5


@dataclass(frozen=True)
class GroupComparison:
    """The comparison of one group, or the order of the positions, in words for every step."""

    group: int | None
    """Its index among the highlighted groups, which decides its colour; None for the order of the positions."""
    sentences: dict[int, str]
    """By step, e.g. ``"12 13 14: 2 in 100 random triples are as close; 72 in 100 neighbouring ones are"``."""
    p_values: dict[int, str]
    """By step, e.g. ``"p .04 and .84, corrected over steps"``."""
    compared: xr.Dataset | None = None
    """The numbers that the words are made of."""


@dataclass(frozen=True)
class Findings:
    """What was found in a table: claims about its last step, and the sentences below its picture at every step."""

    claims: tuple[Claim, ...] = ()
    comparisons: tuple[GroupComparison, ...] = ()

    @property
    def title(self) -> str:
        """The claims as a title; empty where nothing was tested."""
        return title_of(self.claims) if self.claims else ""

    @property
    def title_in_short(self) -> str:
        """The title for the name of a panel; where nothing holds, without what was tested."""
        held = any(claim.strength != "none" for claim in self.claims)
        return f"{self.title[0].lower()}{self.title[1:]}" if held else say("no structure beyond chance")

    @property
    def last_sentences(self) -> list[str]:
        """The sentences of the last step."""
        return [list(one.sentences.values())[-1] for one in self.comparisons]

    def to_record(self) -> list[dict[str, str]]:
        """List the sentences and p-values of the last step, for a sidecar."""
        p_values = [list(one.p_values.values())[-1] for one in self.comparisons]
        return [{"found": text, "p": p} for text, p in zip(self.last_sentences, p_values, strict=True)]


NOTHING = Findings()
"""Where nothing was tested."""


def find(
    run: Run,
    trajectory: xr.DataArray,
    groups: Sequence[Group],
    classes: Sequence[Group] = (),
    *,
    metric: str = "euclidean",
    warn: bool = True,
) -> Findings:
    """Test what a picture of a table shows: the order of positions, and the highlighted groups or, without any, the classes of tokens.

    Parameters
    ----------
    run : the run in whose text tokens are counted.
    trajectory : (step, token or position, dim), the run's own table or a control with the same items.
    groups : the highlighted groups.
    classes : groups that are tested where none is highlighted, at the last step only.
    metric : ``"euclidean"`` or ``"cosine"``.
    warn : warn of groups and nulls that are left out, see `compare_groups`.
    """
    compared = compare_groups(run, trajectory, groups, metric=metric, warn=warn)
    claims = [group_claim(one.compared, len(compared)) for one in compared if one.compared is not None]
    if trajectory.dims[1] == "position":
        ordered = order_along_path(trajectory, metric=metric)
        return Findings((order_claim(ordered), *claims), (_in_words(ordered), *compared))
    if not groups:
        small = [one for one in classes if 2 <= len(one.members) <= min(LARGEST_CLASS, trajectory.shape[1] - 1)]
        tested = [compare_with_nulls(run, trajectory.isel(step=[-1]), one, metric=metric)[0] for one in small]
        claims = [group_claim(one, len(tested)) for one in tested]
    return Findings(tuple(claims), compared)


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
    found = []
    labels = [str(label) for label in trajectory[trajectory.dims[1]].values]
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
        named = compared.assign_attrs(highlight=short_name(group.name.replace(", ", " ")))
        sentences = {step: comparison_sentence(named, step) for step in _steps(named)}
        if apart := members_apart(trajectory, group.members, metric=metric):
            rest = random_groups([member for member in group.members if member not in apart], len(labels))
            without, names = compare(trajectory, rest, metric=metric), [display(labels[member]) for member in apart]
            sentences = {step: f"{text}; {apart_sentence(names, without, step)}" for step, text in sentences.items()}
        found.append(GroupComparison(index, sentences, _p_values(named), named))
    return tuple(found)


def members_apart(trajectory: xr.DataArray, members: Sequence[int], *, metric: str = "euclidean") -> list[int]:
    """Find the few members that spoil a group: it is looser than most random groups at the last step, and without them closer.

    The member that is farthest from the others is left out, then the next, at most a quarter of the group and as few as are needed. They
    are chosen by looking at the result, so what is said without them is no test; where they are named, that is said too.

    Parameters
    ----------
    trajectory : (step, item, dim).
    members : the indices of the group along the items.
    metric : as in `probes.groups.cohesion.cohesion`.

    Returns
    -------
    The indices of those members, the farthest first; none if there are none such, or too many.
    """
    from sklearn.metrics import pairwise_distances

    last, rest, apart = trajectory.isel(step=[-1]), list(members), list[int]()
    while _share_looser(last, rest, metric) < HALF:
        if len(apart) == int(MOST_APART * len(members)):
            return []
        far = pairwise_distances(last.values[0, rest], metric=metric).sum(axis=1)
        apart.append(rest.pop(int(far.argmax())))
    return apart


def _share_looser(last: xr.DataArray, members: Sequence[int], metric: str) -> float:
    """Compute the share of random groups that are less cohesive at the last step."""
    return float(compare(last, random_groups(members, last.shape[1]), metric=metric)["percentile"][-1])


def _in_words(ordered: xr.Dataset) -> GroupComparison:
    """Write the order of the positions at every step."""
    sentences = {step: order_sentence(ordered, step) for step in _steps(ordered)}
    return GroupComparison(None, sentences, _p_values(ordered), ordered)


def _p_values(found: xr.Dataset) -> dict[int, str]:
    """Write the p-values of each step, one for each null."""
    template = "p {values}, corrected over steps" if found.sizes["step"] > 1 else "p {values}"
    rows = found["p_corrected"].values.reshape(found.sizes["step"], -1)
    texts = [_joined([p_value_text(float(p)) for p in row]) for row in rows]
    return {step: say(template, values=text) for step, text in zip(_steps(found), texts, strict=True)}


def _joined(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else say("{first} and {second}", first=texts[0], second=texts[1])


def _steps(found: xr.Dataset) -> list[int]:
    return [int(step) for step in found["step"].values]
