"""What was found in a table, in words: titles, the sentences below a picture, shares of other groups, p-values.

Every sentence about a finding is written here, for films, figures, slides, pages and alt texts alike. Sentences count: "2 in 100
random triples are as close". A count is never rounded down to none nor up to all: "no other" and "all other" are written only where all
groups were compared; of groups that were drawn, another one might have come closer, so their number is given.

A title claims no more than its test. A group gathers if it is closer than the groups of both of its nulls, after correction for all
steps and all groups that were looked at; the positions line up if nearly all pairs stand in order along one path, and chance does not
explain it.

A table in another language passes the function that writes its numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Literal

import numpy as np

from data.errors import InputError
from data.language import digits, picture_language, say
from data.language.displayed_names import fold, names, spellings

if TYPE_CHECKING:
    import xarray as xr

SIGNIFICANT = 0.05
"""Claims are made at this level, divided by the number of groups that were looked at (Bonferroni)."""
LINED_UP, IN_ORDER = 0.9, 0.75
"""Shares of pairs in order from which positions line up, or stand roughly in order."""
FEW_GROUPS = 20
"""Below this number, groups are counted one by one rather than in a hundred."""
MOST_NAMED = 3
"""The most groups that a title names."""
SUBJECTS = {
    "vowels": "vowels",
    "consonants": "consonants",
    "uppercase": "uppercase letters",
    "digits": "digits",
    "punctuation": "punctuation marks",
    "whitespace": "white-space characters",
    "starts-word": "starts of words",
    "inside-word": "insides of words",
    "capitalised": "capitalised tokens",
    "ends-word": "ends of words",
    "numbers": "numbers",
    "bytes": "bytes",
    "special": "special tokens",
}
"""What the members of a class are called in a sentence."""

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
        return say("under 0.1%") if number is None else f"< {number(0.1, 1)}%"
    is_cut = percent < 1 or 99 <= percent < 100
    value = floor(10 * percent) / 10 if is_cut else percent
    if number is not None:
        return f"{number(value, 1 if is_cut and share else 0)}%"
    return digits(f"{value:g}%") if is_cut else f"{value:z.0f}%"


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
    return "1" if float(text) == 1 else text.removeprefix("0") if picture_language() == "en" else digits(text)


def comparison_sentence(compared: xr.Dataset, step: int | None = None, *, counted: bool = False) -> str:
    """Write in a sentence how many other groups are as close together as a group at a step.

    Parameters
    ----------
    compared : the result of `probes.groups.cohesion.compare` or `~probes.groups.cohesion.group_cohesion`.
    step : the last if None.
    counted : count the groups that were compared, not in a hundred.

    Examples
    --------
    >>> import xarray as xr
    >>> from probes.groups.cohesion import compare
    >>> from probes.groups.nulls import neighbouring_groups, random_groups
    >>> line = xr.DataArray([[[0.0], [1.0], [4.0], [9.0]]], dims=("step", "item", "dim"), coords={"step": [100]})
    >>> comparison_sentence(compare(line, random_groups([0, 1], 4)))
    '0 1: no other pair is as close'
    >>> comparison_sentence(compare(line, neighbouring_groups([1, 2], 4)), counted=True)  # 3 apart, the others 1 and 5
    '1 2: 1 of the 2 other neighbouring pairs is as close'
    """
    at = _at(compared, step)
    members = compared.attrs["members"]
    clauses = [_how_many(null, members, counted=counted, short=n > 0) for n, null in enumerate(_nulls(at))]
    is_euclidean = compared.attrs["metric"] == "euclidean"
    clauses[0] = say("{clause} as close" if is_euclidean else "{clause} as close in direction", clause=clauses[0])
    return f"{compared.attrs['highlight'].replace(', ', ' ')}: {'; '.join(clauses)}"


def order_sentence(ordered: xr.Dataset, step: int | None = None) -> str:
    """Write in a sentence how many pairs of positions stand in order along a path, see `probes.tables.order.order_along_path`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from probes.tables.order import order_along_path
    >>> line = np.arange(32.0)[None, :, None]
    >>> coords = {"step": [100], "position": range(32)}
    >>> order_sentence(order_along_path(xr.DataArray(line, dims=("step", "position", "dim"), coords=coords)))
    'positions 0 to 31: all pairs stand in order along one path through the full space; by chance 55 in 100 would'
    """
    pairs, chance = float(_at(ordered, step)["pairs_in_order"]), ordered["pairs_in_order"].attrs["chance"]
    share = say("all|pairs") if pairs == 1 else _of_hundred(pairs)
    found = say("{share} pairs stand in order along one path through the full space", share=share)
    words = {"positions": _positions(ordered), "found": found, "chance": _of_hundred(chance)}
    return say("{positions}: {found}; by chance {chance} would", **words)


def apart_sentence(left_out: Sequence[str], rest: xr.Dataset, step: int | None = None) -> str:
    """Write how a group compares with random ones without the members that stand apart, and that these were chosen after looking."""
    null = _nulls(_at(rest, step))[0]
    share = share_text(float(null["percentile"]), int(null["n_groups"]) - bool(null["exact"]), bool(null["exact"]))
    return say("without {names} (left out after looking): closer than {share}", names=" ".join(left_out), share=share)


@dataclass(frozen=True)
class Claim:
    """What a test allows to be said of a group, or of the order of the positions."""

    subject: str
    verb: str
    strength: Literal["holds", "partly", "none"]
    detail: str = ""
    """Added where the claim stands alone."""
    topic: str = ""
    """The subject in a title of several runs, if it is another."""


def order_claim(ordered: xr.Dataset) -> Claim:
    """Claim what the order of the positions at the last step allows."""
    last = ordered.isel(step=-1)
    pairs = float(last["pairs_in_order"])
    if float(last["p_corrected"]) > SIGNIFICANT:
        return Claim(say("the order of positions"), say("line up"), "none")
    in_part = say("are roughly in order") if pairs >= IN_ORDER else say("are weakly in order")
    verb = say("line up") if pairs >= LINED_UP else in_part
    return Claim(_positions(ordered), verb, "holds", topic=say("positions"))


def group_claim(compared: xr.Dataset, n_groups: int = 1) -> Claim:
    """Claim what the comparison of a group with its nulls at the last step allows, where so many groups were looked at.

    A group that could be compared with one null only does not gather: it is closer than the groups of that null.
    """
    at, name, members = _nulls(compared.isel(step=-1)), compared.attrs["highlight"], compared.attrs["members"]
    subject = _subject(name)
    passed = [float(null["p_corrected"]) <= SIGNIFICANT / n_groups for null in at]
    if not any(passed):
        return Claim(subject, say("gather"), "none")
    if all(passed) and len(at) > 1:
        if float(at[0]["percentile"]) != 1:
            return Claim(subject, say("gather"), "holds")
        others = _every_other(at[0], members)
        return Claim(subject, say("gather"), "holds", say("closer than {others}", others=others))
    closer = say("are closer than {groups}", groups=_kind(at[passed.index(True)], members, brief=True))
    failed = [] if all(passed) else [_kind(at[passed.index(False)], members, short=True)]
    but = "".join(say(", perhaps not than {groups}", groups=groups) for groups in failed)
    return Claim(subject, closer + but, "partly")


def _every_other(null: xr.Dataset, members: Sequence[int]) -> str:
    """Name all the groups of a null, or all of those that were drawn."""
    if null["exact"]:
        return say("all other {groups}", groups=_kind(null, members, brief=True, bare=True))
    groups = _kind(null, members, brief=True)
    return say("every one of {n:,} {groups}", n=int(null["n_groups"]), groups=groups)


def _subject(name: str) -> str:
    """Name the members of a group in a sentence."""
    key = name if picture_language() == "en" else spellings("classes").get(fold(name), name)
    return say(SUBJECTS[key]) if key in SUBJECTS else name.replace(", ", " ")


def title_of(claims: Sequence[Claim]) -> str:
    """Write the title of a picture: what holds, else what holds in part, else that nothing does.

    Examples
    --------
    >>> title_of([Claim("vowels", "gather", "holds"), Claim("digits", "gather", "holds", "closer than all other pairs")])
    'Vowels and digits gather'
    >>> title_of([Claim("digits", "gather", "holds", "closer than all other pairs"), Claim("vowels", "gather", "none")])
    'Digits gather (closer than all other pairs)'
    >>> title_of([Claim("vowels", "gather", "none")])
    'No structure beyond chance in vowels'
    """
    held = [claim for claim in claims if claim.strength == "holds"]
    partly = [claim for claim in claims if claim.strength == "partly"]
    if len(held) == 1 and held[0].detail:
        return capital(f"{held[0].subject} {held[0].verb} ({held[0].detail})")
    if shown := held or partly[:1]:
        subjects: dict[str, list[str]] = {}
        for claim in shown:
            subjects.setdefault(claim.verb, []).append(claim.subject)
        return capital("; ".join(f"{_named(names, len(claims))} {verb}" for verb, names in subjects.items()))
    return say("No structure beyond chance in {subjects}", subjects=_named([claim.subject for claim in claims]))


def title_of_runs(claims: Sequence[Sequence[Claim]]) -> str:
    """Write the title of a picture of several runs: in how many of them the claim holds that holds in most.

    Examples
    --------
    >>> line = Claim("positions 0 to 31", "line up", "holds", topic="positions")
    >>> title_of_runs([[line], [line], [Claim("the order of positions", "line up", "none")]])
    'Positions line up in 2 of 3 runs'
    """
    every = [claim for of_run in claims for claim in of_run]
    for strength in ("holds", "partly"):
        found = Counter((claim.topic or claim.subject, claim.verb) for claim in every if claim.strength == strength)
        if found:
            (subject, verb), n_runs = found.most_common(1)[0]
            in_runs = say(
                "{subject} {verb} in {n} of {all} runs", subject=subject, verb=verb, n=n_runs, all=len(claims)
            )
            return capital(in_runs)
    return say("{title} in any of {n} runs", title=title_of(claims[0]), n=len(claims))


def capital(text: str) -> str:
    """Begin a sentence with a capital, unless it begins with a token.

    Examples
    --------
    >>> capital("vowels and digits gather"), capital("a e i gather")
    ('Vowels and digits gather', 'a e i gather')
    """
    begins = text.split()[0].rstrip(",;:")
    known = [say(subject) for subject in (*SUBJECTS.values(), "positions")]
    known += [] if picture_language() == "en" else [shown[picture_language()] for shown in names()["classes"].values()]
    is_word = any(begins == subject.split()[0] for subject in known)
    return text[0].upper() + text[1:] if is_word else text


def _at(found: xr.Dataset, step: int | None) -> xr.Dataset:
    if step is not None and step not in found["step"]:
        raise InputError(f"step {step} was not compared: choose one of the snapshots' steps")
    return found.isel(step=-1) if step is None else found.sel(step=step)


def _nulls(at: xr.Dataset) -> list[xr.Dataset]:
    """List the comparisons of one step, one for each null."""
    return [at.isel({"null": place}) for place in range(at.sizes["null"])] if "null" in at.dims else [at]


def _how_many(null: xr.Dataset, members: Sequence[int], *, counted: bool, short: bool) -> str:
    """Count the other groups of a null that are as close: ``"2 in 100 random triples are"``."""
    exact = bool(null["exact"])
    others = int(null["n_groups"]) - exact
    count = others - round(float(null["percentile"]) * others)
    # Where all groups were compared, nothing was left to chance.
    kind = _kind(null, members, short=short, bare=exact)
    if count == 0 and exact and not counted:
        one = kind.removesuffix("s") if not short else kind.replace("ones", "one")
        return say("no other {one} is", one=one, several=_kind(null, members, bare=True))
    if count in (0, others) or counted or others < FEW_GROUPS:
        number = {0: say("none"), others: say("all|groups", n=others)}.get(count, digits(f"{count:,}"))
        of = "{number} of {n:,} {groups}"
        if exact:
            of = "{number} of the {n:,} other {groups}|short" if short else "{number} of the {n:,} other {groups}"
        return _with_verb(say(of, number=number, n=others, groups=kind), is_one=count < 2, short=short)
    text = _of_hundred(count / others)
    found = say("{count} {groups}", count=text, groups=_kind(null, members, short=short))
    return _with_verb(found, is_one=text.startswith("1 "), short=short)


def _with_verb(count: str, *, is_one: bool, short: bool) -> str:
    """Add the verb of a clause; a ``short`` one follows another."""
    if short:
        return say("{count} is|too" if is_one else "{count} are|too", count=count)
    return say("{count} is" if is_one else "{count} are", count=count)


def _of_hundred(share: float) -> str:
    """Write a share that is neither none nor all as so many in a hundred; below 1%, in a thousand or ten thousand.

    Examples
    --------
    >>> _of_hundred(0.7234), _of_hundred(0.9999), _of_hundred(0.0031), _of_hundred(0.00002)
    ('72 in 100', '99 in 100', '3 in 1,000', '1 in 10,000')
    """
    of = next((of for of in (100, 1_000) if share >= 1 / of), 10_000)
    return say("{number} in {of:,}", number=str(min(max(round(share * of), 1), of - 1)), of=of)


def _kind(
    null: xr.Dataset, members: Sequence[int], *, short: bool = False, brief: bool = False, bare: bool = False
) -> str:
    """Name the groups of a null: in short after they have been named once, or briefly without their size; random ones also ``bare``."""
    n = len(members)
    size = {2: say("pairs"), 3: say("triples")}.get(n, say("groups") if brief else say("groups of {n}", n=n))
    groups = say("ones") if short else size
    match str(null["null"].values):
        case "neighbouring" if np.ptp(members) == n - 1:
            return say("neighbouring {groups}", groups=groups)
        case "neighbouring":
            return say("{groups} with the same gaps", groups=groups)
        case "matched":
            return say("equally frequent {groups}", groups=groups)
    return groups if bare else say("random {groups}", groups=groups)


def _positions(ordered: xr.Dataset) -> str:
    numbers = ordered["position"].values
    return say("positions {first} to {last}", first=str(numbers[0]), last=str(numbers[-1]))


def _named(subjects: Sequence[str], n_groups: int | None = None) -> str:
    """Name a few subjects, or count many, of ``n_groups`` if that is given."""
    n = len(subjects)
    if n > MOST_NAMED:
        return say("{n} groups", n=n) if n_groups is None else say("{n} of {all} groups", n=n, all=n_groups)
    return (
        subjects[0]
        if n == 1
        else say("{all_but_last} and {last}", all_but_last=", ".join(subjects[:-1]), last=subjects[-1])
    )
