"""The sentences of the tour. Each is written from what was measured of the run, and says no more than that allows."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.state.language import Translation
from probes.first_look import BackwardHead, Beginning, Gathering, KnownWords, NullComparison
from probes.groups.wording import p_value_text, share_text


@dataclass(frozen=True)
class TemperatureSpread:
    """From among how many equally likely tokens a draw is as uncertain, at a low and a high temperature."""

    low: float
    high: float
    n_low: float
    n_high: float


def of_beginning(found: Beginning, say: Translation) -> str:
    """Describe whether the first snapshot does better than a guess."""
    key = "noise" if found.is_noise else "not_noise"
    return say(
        f"tour.{key}",
        step=say.number(found.step),
        loss=say.number(found.loss, 2),
        guess=say.number(found.guess, 2),
        n=say.number(found.n_tokens),
    )


def of_gathering(found: Gathering, name: str, say: Translation) -> str:
    """Describe how a group compares with random groups, and with equally frequent ones, at the step where it is clearest.

    Parameters
    ----------
    found : the comparisons; their p-values decide what is said.
    name : of the group, in the reader's language.
    """
    first, *others = found.comparisons
    values = {"name": name, "capital": name[0].upper() + name[1:], "step": say.number(found.step)}
    held = [null.is_significant for null in found.comparisons]
    if not any(held):
        return say("tour.no_group", **values, **_share_and_p(first, say))
    if not held[0]:
        other = others[held[1:].index(True)]
        return say(f"tour.group_{other.null}_only", **values, **_share_and_p(other, say), against=_p(first, say))
    text = say("tour.group", **values, **_share_and_p(first, say))
    for null in others:
        key = f"tour.and_{null.null}" if null.is_significant else f"tour.not_{null.null}"
        text += " " + say(key, **_share_and_p(null, say))
    return text


def of_head(found: BackwardHead, say: Translation) -> str:
    """Describe whether a head finds the token before: by its share of attention there, beside that of even attention."""
    key = "head" if found.finds else "head_leans" if found.leans else "no_head"
    return say(
        f"tour.{key}",
        layer=found.layer,
        head=found.head,
        score=_percent(found.score, say),
        uniform=_percent(found.uniform, say),
    )


def of_words(first: KnownWords, last: KnownWords, say: Translation) -> str:
    """Count the words of the first and the last sample that occur in the training text."""
    if not last.total:
        return say("tour.no_words", step=say.number(last.step))
    better = last.known * max(1, first.total) > first.known * last.total
    key = "words" if better else "words_not_better"
    counts = {"known": last.known, "total": last.total, "known_first": first.known, "total_first": first.total}
    steps = {"step": say.number(last.step), "first": say.number(first.step)}
    return say(f"tour.{key}", **{name: say.number(n) for name, n in counts.items()}, **steps)


def of_fall(first: float, last: float, say: Translation) -> str:
    """Describe how the loss changed, where words cannot be counted."""
    key = "fall" if last < first else "no_fall"
    return say(f"tour.{key}", first=say.number(first, 2), last=say.number(last, 2))


def of_temperature(found: TemperatureSpread, say: Translation) -> str:
    """Describe from among how many tokens the model draws at a low and at a high temperature."""
    return say(
        "tour.temperature",
        low=say.number(found.low, 1),
        high=say.number(found.high, 1),
        n_low=say.number(found.n_low, 1),
        n_high=say.number(found.n_high, 1),
    )


def _share_and_p(null: NullComparison, say: Translation) -> dict[str, str]:
    return {"share": share_text(null.share, null.n_others, null.is_exact, say.number), "p": _p(null, say)}


def _p(null: NullComparison, say: Translation) -> str:
    text = p_value_text(null.p, say.number)
    return text if text.startswith("<") else f"= {text}"


def _percent(share: float, say: Translation) -> str:
    return f"{say.number(100 * share)}%"
