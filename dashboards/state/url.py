"""What a page shows, as its address says it: a link reproduces the view, and what a link says wrongly is told, never obeyed."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboards.forms.group_form import parted
from dashboards.state.language import LANGUAGES, Translation
from data.errors import InputError
from data.runs import check_run_name

LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Field:
    """One thing that the address says: how it is read from text, written as text, and what holds where it says nothing."""

    default: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


class NotRead(ValueError):
    """A value that cannot be; ``key`` of the catalogue says why, with ``values``."""

    def __init__(self, key: str, **values: object):
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True)
class Mistake:
    """Something that the address says and that cannot be."""

    name: str
    said: str
    reason: NotRead

    def told(self, say: Translation) -> str:
        """Return a sentence about it in the reader's language."""
        numbers = {
            name: say.number(value) if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value
            for name, value in self.reason.values.items()
        }
        reason = say(f"address.{self.reason.key}", **numbers)
        return say("address.usual", name=self.name, said=self.said, reason=reason)


def one_of(*names: str) -> Callable[[str], str]:
    """Return a reader that takes one of these names only."""

    def read(text: str) -> str:
        if text not in names:
            raise NotRead("none_of", names=", ".join(names))
        return text

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers between two ends."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise NotRead("no_whole_number") from None
        if not low <= number <= high:
            raise NotRead("not_between", low=low, high=high)
        return number

    return read


def real(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of numbers between two ends."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise NotRead("no_number") from None
        if not (math.isfinite(number) and low <= number <= high):
            raise NotRead("not_between", low=float(low), high=float(high))
        return number

    return read


def several(read: Callable[[str], Any], most: int) -> Callable[[str], tuple[Any, ...]]:
    """Return a reader of up to ``most`` things with commas between."""

    def read_all(text: str) -> tuple[Any, ...]:
        parts = text.split(",")
        if len(parts) > most:
            raise NotRead("too_many", n=len(parts), most=most)
        return tuple(dict.fromkeys(read(part) for part in parts))

    return read_all


def text(words: str) -> str:
    """Read a text that is not too long."""
    if len(words) > LONGEST_TEXT:
        raise NotRead("too_long", n=len(words), most=LONGEST_TEXT)
    return words


def run_name(name: str) -> str:
    """Read the name of a run."""
    try:
        return check_run_name(name)
    except InputError:
        raise NotRead("no_run_name") from None


MOST_STEPS = 10**12
MOST_PARTS = 10_000

#: Everything an address can say. A page writes down the ones it uses.
FIELDS: dict[str, Field] = {
    "lang": Field("en", one_of(*LANGUAGES)),
    "run": Field(None, run_name),
    "step": Field(None, whole(0, MOST_STEPS)),
    "scale": Field("log", one_of("log", "linear")),
    "what": Field("tokens", one_of("tokens", "positions")),
    "method": Field("tsne", one_of("tsne", "umap", "pca")),
    "axes": Field(2, whole(2, 3)),
    "metric": Field("euclidean", one_of("euclidean", "cosine")),
    "group": Field((), lambda joined: parted(text(joined)), ";".join),
    "item": Field(None, text),
    "prompt": Field("", text),
    "layer": Field(None, whole(0, MOST_PARTS)),
    "head": Field(None, whole(0, MOST_PARTS)),
    "score": Field("previous_token", text),
    "ask": Field("nothing", one_of("nothing", "zero-shot")),
    "with": Field(None, run_name),
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
    "colors": Field(None, one_of("light", "dark")),
    "shape": Field("16:9", one_of("16:9", "4:3", "square")),
    "ground": Field("filled", one_of("filled", "transparent")),
}


def read_address() -> list[Mistake]:
    """Take over what the address says: at the beginning of a visit, and when Back or Forward has led to another address.

    Returns
    -------
    mistakes : what the address says and cannot be.
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


def is_news(name: str, choice: object) -> bool:
    """Say whether a choice that the browser tells is another than it told last; it tells it again whenever the page runs."""
    heard: dict[str, object] = st.session_state.setdefault("heard", {})
    if name in heard and heard[name] == choice:
        return False
    heard[name] = choice
    return True


def forget_news() -> None:
    """Let whatever the browser tells next be news: the page was entered, or shows another run."""
    st.session_state["heard"] = {}


def parse(said: Mapping[str, str]) -> tuple[dict[str, Any], list[Mistake]]:
    """Read an address.

    Examples
    --------
    >>> view, (mistake,) = parse({"step": "100", "axes": "9", "utm": "x"})
    >>> view, mistake.told(Words("en"))
    ({'step': 100}, 'The address says axes=9, which is not between 2 and 3: the usual is shown.')
    """
    kept: dict[str, Any] = {}
    mistakes = []
    for name, field in FIELDS.items():
        if name not in said:
            continue
        try:
            kept[name] = field.read(said[name])
        except NotRead as reason:
            mistakes.append(Mistake(name, said[name][:60], reason))
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


def write_address(names: Sequence[str], *, has_slider: bool = True) -> None:
    """Write the fields that a page uses into the address, those at their default left out, when the page is entered or one has changed.

    What was written is remembered, not read: a page that runs again by itself is told the address of the time when it was begun. Where the
    slider stands is no reason to write, which the browser has done already; it could undo a Back that came meanwhile.

    Parameters
    ----------
    names : step and scale, where they are among them, come last, as the browser writes them.
    has_slider : whether the page has one in the browser; one without writes its step itself.
    """
    st.session_state["has_written"] = True
    ordered = sorted(("lang", "run", *names), key=lambda name: name in BROWSERS)
    said = {name: FIELDS[name].write(_kept()[name]) for name in ordered if name in _kept()}
    record = (_place(), {name: value for name, value in said.items() if not (has_slider and name in BROWSERS)})
    if st.session_state.get("written") == record:
        return
    st.session_state["written"] = record
    if dict(st.query_params) != said:
        st.query_params.from_dict(said)


@contextlib.contextmanager
def addressed(names: Sequence[str]) -> Iterator[None]:
    """Write the address of a page that does not do so while it is drawn: one that could not show its slider."""
    st.session_state["has_written"] = False
    yield
    if not st.session_state["has_written"]:
        write_address(names)


def _kept() -> MutableMapping[str, Any]:
    found: MutableMapping[str, Any] = st.session_state.setdefault("kept", {})
    return found
