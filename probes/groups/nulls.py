"""Null groups that a highlighted group is compared with: random, neighbouring, or matched on frequency.

Under the null hypothesis the observed group is one of the groups that a rule makes, all equally likely. So every null holds the
observed group itself; a p-value is a share of its rows and never 0 (Phipson and Smyth 2010). Where there are few such groups, all of
them are taken; otherwise some are drawn, and the observed group is put first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from math import comb, prod

import numpy as np
from numpy.typing import ArrayLike

from data.arrays import TokenIds
from data.errors import InputError

MOST_GROUPS = 50_000  # up to this number, all are taken
DRAWS = 9_999  # otherwise: a p-value of 0.05 is then known to within 0.004 (two standard errors)
BIN_SIZE = 10


@dataclass(frozen=True)
class Null:
    """Groups of one size."""

    name: str
    """Random, neighbouring or matched."""
    groups: TokenIds
    """(group, member), indices of items, ascending in each row."""
    observed: int
    """The row of the observed group."""
    exact: bool
    """Whether these are all the groups that there are."""

    @property
    def n_groups(self) -> int:
        """Number of groups; it includes the observed group if these are all groups, not if they are drawn."""
        return len(self.groups) - (not self.exact)

    @property
    def members(self) -> tuple[int, ...]:
        """The observed group."""
        return tuple(int(item) for item in self.groups[self.observed])


def random_groups(members: Sequence[int], n_items: int, *, seed: int = 0, draws: int = DRAWS) -> Null:
    """Make groups of the same size; every set of items is equally likely.

    Parameters
    ----------
    members : the indices of the observed group.
    n_items : number of items; all groups are taken if there are at most 50,000.
    seed : seed of the draw, where groups are drawn.
    draws : number of groups to draw.

    Raises
    ------
    InputError
        If `check_members` refuses the group, or the seed is negative.

    Examples
    --------
    >>> random_groups([2, 1], 4).groups.tolist()
    [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    """
    checked = check_members(members, n_items)
    return _within_bins("random", checked, np.zeros(n_items, dtype=np.int64), seed, draws)


def neighbouring_groups(members: Sequence[int], n_items: int) -> Null:
    """Shift the pattern of a group to every place where it fits: for 12, 13, 14 these are all runs of three.

    A group with gaps keeps them: 3, 9, 20 becomes 0, 6, 17, and so on. The pattern does not wrap around the end.

    Parameters and errors are those of `random_groups`; a pattern that fits nowhere else is an `InputError`, too.

    Examples
    --------
    >>> neighbouring_groups([1, 3], 5).groups.tolist()
    [[0, 2], [1, 3], [2, 4]]
    """
    pattern = check_members(members, n_items)
    places = n_items - int(np.ptp(pattern))
    if places == 1:
        there_is = f"a group from the first of {n_items} items to the last fits nowhere else"
        raise InputError(f"{there_is}: there is no neighbouring group to compare with")
    groups = pattern - pattern[0] + np.arange(places)[:, None]
    return Null("neighbouring", groups, int(pattern[0]), exact=True)


def matched_groups(
    members: Sequence[int], counts: ArrayLike, *, bin_size: int = BIN_SIZE, seed: int = 0, draws: int = DRAWS
) -> Null:
    """Make groups that replace each member by an item of its frequency bin, possibly itself; no item is taken twice.

    The bins depend on the counts alone (`frequency_bins`), so all groups with as many items from each bin are equally likely, and a
    p-value is as exact as for random groups.

    Parameters
    ----------
    members : the indices of the observed group.
    counts : occurrences of each item, (item,), finite and 0 or more.
    bin_size : smallest number of items in a bin.
    seed, draws : as in `random_groups`.

    Errors are those of `random_groups`; a group that fills each of its bins, and so has no other to match, is an `InputError`, too.

    Examples
    --------
    >>> matched_groups([0, 2], [900, 800, 20, 10], bin_size=2).groups.tolist()
    [[0, 2], [0, 3], [1, 2], [1, 3]]
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.ndim != 1 or not (np.isfinite(values) & (values >= 0)).all():
        raise InputError("counts are one number an item, finite and 0 or more: give (item,), as token_counts does")
    checked = check_members(members, len(values))
    bins = frequency_bins(values, bin_size)
    if all(np.isin(np.flatnonzero(bins == b), checked).all() for b in np.unique(bins[checked])):
        none_left = "the group holds every item of its frequencies, so none is left to match it with"
        raise InputError(f"{none_left}: widen the bins (bin_size, now {bin_size})")
    return _within_bins("matched", checked, bins, seed, draws)


def frequency_bins(counts: ArrayLike, bin_size: int = BIN_SIZE) -> TokenIds:
    """Sort items into frequency bins, (item,), bin 0 for the most frequent.

    Items are taken from the most frequent down. A bin is closed when it has ``bin_size`` items and the next item is less frequent, so that
    equal counts share a bin. Items that are left over at the end join the last bin.

    Examples
    --------
    >>> frequency_bins([70, 1, 500, 30, 1, 1], bin_size=2).tolist()  # 500 70 | 30 1 1 1
    [0, 1, 0, 1, 1, 1]
    """
    if bin_size < 2:
        raise InputError(f"a bin of {bin_size} leaves nothing to match an item with: pass a bin_size of 2 or more")
    values = np.asarray(counts, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    found, start = np.zeros(len(values), dtype=np.int64), 0
    for place in range(1, len(order)):
        rarer = values[order[place]] < values[order[place - 1]]
        if rarer and place - start >= bin_size and len(order) - place >= bin_size:
            found[order[place:]] += 1
            start = place
    return found


def check_members(members: Sequence[int], n_items: int) -> TokenIds:
    """Sort the members of a group, (member,).

    An `InputError` explains why they are no group to compare: fewer than two, all items, or one that is repeated or not there.
    """
    found: TokenIds = np.sort(np.asarray(members).reshape(-1))
    if len(found) and not np.issubdtype(found.dtype, np.integer):
        raise InputError(f"members of a group are indices of items, whole numbers; got {found[0]!r}")
    if len(found) < 2:
        raise InputError(f"a group of {len(found)} has no pairs: highlight two items or more")
    outside = found[(found < 0) | (found >= n_items)]
    if len(outside):
        raise InputError(f"there is no item {outside[0]}: the {n_items} items are 0 to {n_items - 1}")
    twice = found[1:][found[1:] == found[:-1]]
    if len(twice):
        raise InputError(f"the group names item {twice[0]} twice: name each once")
    if len(found) == n_items:
        raise InputError(f"the group is all {n_items} items, so there is no other to compare with: highlight fewer")
    return found.astype(np.int64)


def _within_bins(name: str, members: TokenIds, bins: TokenIds, seed: int, draws: int) -> Null:
    """Make groups with as many items from each bin as the observed group: all such groups, or ``draws`` of them."""
    if seed < 0 or draws < 1:
        raise InputError(f"a seed is 0 or more, draws are 1 or more; got {seed} and {draws}")
    parts = [(np.flatnonzero(bins == b), int((bins[members] == b).sum())) for b in np.unique(bins[members])]
    if prod(comb(len(items), size) for items, size in parts) <= MOST_GROUPS:
        choices = product(*(combinations(items.tolist(), size) for items, size in parts))
        flat = chain.from_iterable(chain.from_iterable(choices))
        groups = np.sort(np.fromiter(flat, dtype=np.int64).reshape(-1, len(members)), axis=1)
        return Null(name, groups, int((groups == members).all(axis=1).argmax()), exact=True)
    random = np.random.default_rng([seed, len(bins), len(members)])
    drawn = np.hstack([items[_draw(random, len(items), size, draws)] for items, size in parts])
    return Null(name, np.vstack([members, np.sort(drawn, axis=1)]), 0, exact=False)


def _draw(random: np.random.Generator, n: int, size: int, draws: int) -> TokenIds:
    """Draw sets of ``size`` numbers below n, (draws, size), each set equally likely.

    Floyd's algorithm, all sets at once: its cost does not grow with n. References: Bentley and Floyd 1987, "A sample of
    brilliance", Communications of the ACM 30, pages 754-757.
    """
    drawn = np.full((draws, size), -1, dtype=np.int64)
    for place, top in enumerate(range(n - size, n)):
        number = random.integers(0, top + 1, size=draws)
        taken = (drawn[:, :place] == number[:, None]).any(axis=1)
        drawn[:, place] = np.where(taken, top, number)
    return drawn
