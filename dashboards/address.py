"""What a page shows, as its address says it: a link reproduces the view, and what a link says wrongly is told, never obeyed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboards.language import LANGUAGES
from data.errors import InputError
from data.runs import check_run_name

LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Field:
    """One thing that the address says: how it is read from text, written as text, and what holds where it says nothing."""

    default: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def one_of(*names: str) -> Callable[[str], str]:
    """Return a reader that takes one of these names only."""

    def read(text: str) -> str:
        if text not in names:
            raise InputError(f"{text[:60]!r} is none of {', '.join(names)}")
        return text

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers between two ends."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise InputError(f"{text[:60]!r} is no whole number") from None
        if not low <= number <= high:
            raise InputError(f"{text[:60]} is not between {low:,} and {high:,}")
        return number

    return read


def real(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of numbers between two ends."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise InputError(f"{text[:60]!r} is no number") from None
        if not (math.isfinite(number) and low <= number <= high):
            raise InputError(f"{text[:60]!r} is not between {low:g} and {high:g}")
        return number

    return read


def several(read: Callable[[str], Any], most: int) -> Callable[[str], tuple[Any, ...]]:
    """Return a reader of up to ``most`` things with commas between."""

    def read_all(text: str) -> tuple[Any, ...]:
        parts = text.split(",")
        if len(parts) > most:
            raise InputError(f"{len(parts)} are too many: at most {most}")
        return tuple(dict.fromkeys(read(part) for part in parts))

    return read_all


def text(words: str) -> str:
    """Read a text that is not too long."""
    if len(words) > LONGEST_TEXT:
        raise InputError(f"a text of {len(words):,} characters is too long: at most {LONGEST_TEXT:,}")
    return words


MOST_STEPS = 10**12
MOST_PARTS = 10_000

#: Everything an address can say. A page writes down the ones it uses.
FIELDS: dict[str, Field] = {
    "lang": Field("en", one_of(*LANGUAGES)),
    "run": Field(None, check_run_name),
    "step": Field(None, whole(0, MOST_STEPS)),
    "scale": Field("log", one_of("log", "linear")),
    "what": Field("tokens", one_of("tokens", "positions")),
    "method": Field("tsne", one_of("tsne", "umap", "pca")),
    "axes": Field(2, whole(2, 3)),
    "metric": Field("euclidean", one_of("euclidean", "cosine")),
    "group": Field((), lambda joined: tuple(text(joined).split("|")), "|".join),
    "item": Field(None, text),
    "prompt": Field("", text),
    "layer": Field(None, whole(0, MOST_PARTS)),
    "head": Field(None, whole(0, MOST_PARTS)),
    "score": Field("previous_token", text),
    "ask": Field("nothing", one_of("nothing", "zero-shot")),
    "with": Field(None, check_run_name),
    "view": Field("embeddings", one_of("embeddings", "attention", "scores", "text")),
    "temperature": Field(0.8, real(0, 2)),
    "top_k": Field(0, whole(0, 10**6)),
    "top_p": Field(1.0, real(0.01, 1)),
    "seed": Field(0, whole(0, 2**31 - 1)),
    "tokens": Field(120, whole(1, 2000)),
    "stop": Field("", text),
    "beside": Field((), several(whole(0, MOST_STEPS), most=6), lambda steps: ",".join(map(str, steps))),
    "film": Field(None, text),
    "figure": Field(None, text),
}


def read_address() -> list[str]:
    """Take over what the address says: at the beginning of a visit, and when Back or Forward has led to another address.

    Returns
    -------
    mistakes : a sentence about each thing that cannot be.
    """
    went_back = bool(getattr(get_script_run_ctx(), "is_history_navigation", False))
    if "kept" in st.session_state and not (went_back and st.query_params):
        return []
    st.session_state["kept"], mistakes = parse(st.query_params)
    st.session_state["visits"] = visits() + 1
    return mistakes


def visits() -> int:
    """Return how often the address has been taken over: what it says holds from then on, whatever was before."""
    return int(st.session_state.get("visits", 0))


def begin(key: str, value: Any, among: Sequence[Any] | None = None) -> None:
    """Let a widget begin with a value when its page is entered or the address has been taken over; else it stays as the reader left it.

    To be called right before a widget that has no default of its own. One key is, on each page, another widget to Streamlit, and what the
    last page's showed does not pass to the next.

    Parameters
    ----------
    among : the options, where they may change while the page stays: one that is gone is left for ``value``.
    """
    place = _place()
    begun: dict[str, object] = st.session_state.setdefault("begun", {})
    shown = st.session_state.get(key)
    if key not in st.session_state or begun.get(key) != place or (among is not None and shown not in among):
        st.session_state[key] = value
        begun[key] = place


def parse(said: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Read an address.

    Examples
    --------
    >>> parse({"step": "100", "axes": "9", "utm": "x"})
    ({'step': 100}, ['the address says axes=9, and 9 is not between 2 and 3: the usual is shown'])
    """
    kept: dict[str, Any] = {}
    mistakes = []
    for name, field in FIELDS.items():
        if name not in said:
            continue
        try:
            kept[name] = field.read(said[name])
        except InputError as mistake:
            mistakes.append(f"the address says {name}={said[name][:60]}, and {mistake}: the usual is shown")
    return kept, mistakes


def kept(name: str) -> Any:
    """Return what this visit has chosen for a field, or the field's default."""
    return _kept().get(name, FIELDS[name].default)


def keep(name: str, value: Any) -> None:
    """Choose a field's value for this visit."""
    if value is None or value == FIELDS[name].default:
        _kept().pop(name, None)
    else:
        _kept()[name] = value


def _place() -> tuple[object, int]:
    return getattr(get_script_run_ctx(), "page_script_hash", None), visits()


#: What the browser writes into the address itself when the slider comes to rest, in place: Back leads to the view before, not to the
#: step before.
BROWSERS = ("step", "scale")


def write_address(names: Sequence[str]) -> None:
    """Write the fields that a page uses into the address, those at their default left out, when the page is entered or one has changed.

    What was written is remembered, not read: a page that runs again by itself is told the address of the time when it was begun. Where the
    slider stands is no reason to write, which the browser has done already; it could undo a Back that came meanwhile.

    Parameters
    ----------
    names : step and scale, where they are among them, come last, as the browser writes them.
    """
    ordered = sorted(("lang", "run", *names), key=lambda name: name in BROWSERS)
    said = {name: FIELDS[name].write(_kept()[name]) for name in ordered if name in _kept()}
    record = (_place(), {name: value for name, value in said.items() if name not in BROWSERS})
    if st.session_state.get("written") == record:
        return
    st.session_state["written"] = record
    if dict(st.query_params) != said:
        st.query_params.from_dict(said)


def _kept() -> MutableMapping[str, Any]:
    found: MutableMapping[str, Any] = st.session_state.setdefault("kept", {})
    return found
