"""The state of a visit and its address: a link reproduces what a page shows, and invalid fields of a link are reported and ignored."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboards.state.language import Translation
from data.errors import InputError
from data.language import LANGUAGES
from data.runs import check_run_name
from probes.groups.naming import split_highlight

Bound = TypeVar("Bound", int, float)

LONGEST_TEXT = 2000
LONGEST_SHOWN = 60
MOST_STEPS = 10**12
MOST_PARTS = 10_000
MOST_BESIDE = 6
CAMERA_LIMITS = ((-36000.0, 36000.0), (-90.0, 90.0), (0.5, 60.0))
"""Of yaw and pitch in degrees, and of the magnification."""
MOST_RUNS = 100


@dataclass(frozen=True)
class Field:
    """A field of the address: its default, the function that reads it from text, and the one that writes it."""

    default: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


class InvalidValueError(ValueError):
    """A value that a field does not accept; ``key`` of the catalogue says why, with ``values``."""

    def __init__(self, key: str, **values: object):
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True)
class InvalidField:
    """A field of the address whose text was not accepted."""

    name: str
    text: str
    reason: InvalidValueError

    def message(self, say: Translation) -> str:
        """Describe the field and the reason in the reader's language."""
        numbers = {
            name: say.number(value) if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value
            for name, value in self.reason.values.items()
        }
        reason = say(f"address.{self.reason.key}", **numbers)
        return say("address.invalid", name=self.name, text=self.text, reason=reason)


def one_of(*names: str, **aliases: str) -> Callable[[str], str]:
    """Build a reader that accepts only these names, and former names (``aliases``) in their place."""

    def read(text: str) -> str:
        text = aliases.get(text, text)
        if text not in names:
            raise InvalidValueError("none_of", names=", ".join(names))
        return text

    return read


def between(low: Bound, high: Bound) -> Callable[[str], Bound]:
    """Build a reader of numbers from ``low`` to ``high``, of integers if the two are integers."""
    convert = type(low)

    def read(text: str) -> Bound:
        try:
            number = convert(text)
        except ValueError:
            raise InvalidValueError("no_whole_number" if convert is int else "no_number") from None
        if not low <= number <= high:  # nor is it NaN
            raise InvalidValueError("not_between", low=low, high=high)
        return number

    return read


def step_list(text: str) -> tuple[int, ...]:
    """Read up to `MOST_BESIDE` steps separated by commas."""
    parts = text.split(",")
    if len(parts) > MOST_BESIDE:
        raise InvalidValueError("too_many", n=len(parts), most=MOST_BESIDE)
    return tuple(dict.fromkeys(map(between(0, MOST_STEPS), parts)))


def camera(text: str) -> tuple[float, float, float]:
    """Read yaw and pitch in degrees and the magnification of a three-dimensional picture, separated by commas."""
    parts = text.split(",")
    if len(parts) != len(CAMERA_LIMITS):
        raise InvalidValueError("no_camera")
    yaw, pitch, zoom = (between(*limits)(part) for part, limits in zip(parts, CAMERA_LIMITS, strict=True))
    return yaw, pitch, zoom


def run_names(text: str) -> tuple[str, ...]:
    """Read the names of runs, separated by commas."""
    parts = [part for part in short_text(text).split(",") if part]
    if len(parts) > MOST_RUNS:
        raise InvalidValueError("too_many", n=len(parts), most=MOST_RUNS)
    return tuple(dict.fromkeys(map(run_name, parts)))


def short_text(text: str) -> str:
    """Read a text of at most `LONGEST_TEXT` characters."""
    if len(text) > LONGEST_TEXT:
        raise InvalidValueError("too_long", n=len(text), most=LONGEST_TEXT)
    return text


def run_name(name: str) -> str:
    """Read the name of a run."""
    try:
        return check_run_name(name)
    except InputError:
        raise InvalidValueError("no_run_name") from None


def compared_runs(text: str) -> tuple[str, ...]:
    """Read the names of up to `MOST_BESIDE` - 1 runs separated by commas, each once."""
    names = tuple(dict.fromkeys(map(run_name, text.split(","))))
    if len(names) >= MOST_BESIDE:
        raise InvalidValueError("too_many", n=len(names), most=MOST_BESIDE - 1)
    return names


#: Every field that an address may have. Each page writes those that it uses.
FIELDS: dict[str, Field] = {
    "lang": Field(None, one_of(*LANGUAGES)),  # the browser's language, or the one chosen on an earlier visit
    "run": Field(None, run_name),
    "step": Field(None, between(0, MOST_STEPS)),
    "tour": Field(None, between(1, 5)),
    "scale": Field("log", one_of("log", "linear")),
    "what": Field("tokens", one_of("tokens", "positions")),
    "method": Field("tsne", one_of("tsne", "umap", "pca")),
    "axes": Field(2, between(2, 3)),
    "camera": Field(None, camera, lambda view: ",".join(f"{number:g}" for number in view)),
    "metric": Field("euclidean", one_of("euclidean", "cosine")),
    "group": Field((), lambda joined: split_highlight(short_text(joined)), ";".join),
    "item": Field(None, short_text),
    "prompt": Field("", short_text),
    "position": Field(None, between(0, MOST_PARTS)),
    "layer": Field(None, between(0, MOST_PARTS)),
    "head": Field(None, between(0, MOST_PARTS)),
    "picture": Field("map", one_of("map", "words")),
    "query": Field(None, between(0, MOST_PARTS)),
    "score": Field("previous_token", short_text),
    "ask": Field("nothing", one_of("nothing", "zero-shot")),
    "with": Field((), compared_runs, ",".join),
    "view": Field("embeddings", one_of("embeddings", "attention", "heads", "text", "differences", scores="heads")),
    "against": Field(None, run_name),
    "aspect": Field("heads", one_of("heads", "geometry", "distances")),
    "pairing": Field("rank", one_of("rank", "number")),
    "measure": Field("effective_rank", one_of("effective_rank", "stable_rank", "mean_cosine", "isotropy", "mean_norm")),
    "temperature": Field(0.8, between(0.0, 2.0)),
    "top_k": Field(0, between(0, 10**6)),
    "top_p": Field(1.0, between(0.01, 1.0)),
    "typical_p": Field(1.0, between(0.01, 1.0)),
    "repetition": Field(1.0, between(0.1, 10.0)),
    "ngram": Field(0, between(0, 100)),
    "seed": Field(0, between(0, 2**31 - 1)),
    "tokens": Field(120, between(1, 2000)),
    "stop": Field("", short_text),
    "beside": Field((), step_list, lambda steps: ",".join(map(str, steps))),
    "film": Field(None, short_text),
    "figure": Field(None, short_text),
    "colors": Field(None, one_of("light", "dark")),
    "shape": Field("16:9", one_of("16:9", "4:3", "square", "large")),
    "bars": Field("leading", one_of("leading", "all")),
    "ground": Field("filled", one_of("filled", "transparent")),
    "show": Field("run", one_of("run", "runs")),
    "filter": Field("", short_text),
    "sort": Field("", short_text),
    "pin": Field((), run_names, ",".join),
    "hide": Field((), run_names, ",".join),
    "curve": Field("val_loss", short_text),
    "along": Field("step", one_of("step", "tokens", "seconds")),
    "smoothing": Field(0.0, between(0.0, 0.99)),
    "logs": Field("x", one_of("none", "x", "y", "xy")),
}

#: The browser itself writes these fields when the slider, or the camera of three dimensions, comes to rest. It replaces the address, so
#: that Back leads to the previous view and not to the previous step.
BROWSER_FIELDS = ("camera", "step", "scale")


def read_address() -> list[InvalidField]:
    """Read the address at the start of a visit, and when Back or Forward has led to another; return the fields that could not be read."""
    went_back = bool(getattr(get_script_run_ctx(), "is_history_navigation", False))
    if "fields" in st.session_state and not (went_back and st.query_params):
        return []
    st.session_state["fields"], invalid = parse_address(st.query_params)
    st.session_state["visits"] = visits() + 1
    return invalid


def visits() -> int:
    """Count how often the address has been read; each time it replaces the state that there was."""
    return int(st.session_state.get("visits", 0))


def parse_address(parameters: Mapping[str, str]) -> tuple[dict[str, Any], list[InvalidField]]:
    """Parse the query parameters of an address; unknown ones are ignored.

    Examples
    --------
    >>> fields, (invalid,) = parse_address({"step": "100", "axes": "9", "utm": "x"})
    >>> fields, invalid.message(Translation("en"))
    ({'step': 100}, 'The address says axes=9, which is not between 2 and 3: the usual is shown.')
    """
    fields: dict[str, Any] = {}
    invalid = []
    for name, field in FIELDS.items():
        if name not in parameters:
            continue
        try:
            fields[name] = field.read(parameters[name])
        except InvalidValueError as reason:
            invalid.append(InvalidField(name, parameters[name][:LONGEST_SHOWN], reason))
    return fields, invalid


def get_field(name: str) -> Any:
    """Return the value of a field in this visit, or its default."""
    return _fields().get(name, FIELDS[name].default)


def set_field(name: str, value: Any) -> None:
    """Set a field for this visit; None stands for the default."""
    if value is None or value == FIELDS[name].default:
        _fields().pop(name, None)
    else:
        _fields()[name] = value


def set_initial_value(key: str, value: Any, among: Sequence[Any] | None = None) -> None:
    """Set a widget's initial value on page entry and after the address has been read; otherwise leave it as the reader set it.

    Call it right before a widget that has no default of its own. To Streamlit, the same key on another page is another widget, and its
    value does not pass from one page to the next. ``among`` are the options, where they may change while the page is open: ``value``
    replaces an option that no longer exists.
    """
    place = _place()
    initialised: dict[str, object] = st.session_state.setdefault("initialised", {})
    shown = st.session_state.get(key)
    if key not in st.session_state or initialised.get(key) != place or (among is not None and shown not in among):
        st.session_state[key] = value
        initialised[key] = place


def is_initialised(key: str) -> bool:
    """Check whether a widget has had its initial value on this page since the address was read: what it holds now is the reader's."""
    return key in st.session_state and st.session_state.get("initialised", {}).get(key) == _place()


def is_new_event(name: str, value: object) -> bool:
    """Check whether the value of a browser event has changed; the browser repeats the last one on every run of the page."""
    last: dict[str, object] = st.session_state.setdefault("last_events", {})
    if name in last and last[name] == value:
        return False
    last[name] = value
    return True


def forget_events() -> None:
    """Forget the last browser events, when a page is entered or shows another run."""
    st.session_state["last_events"] = {}


def write_address(names: Sequence[str], *, has_slider: bool = True) -> None:
    """Write the fields that a page uses into the address if one has changed; fields at their default are left out.

    The last address written is remembered, not read: a page that reruns by itself is given the address of the time when its run started.
    The position of the slider is no reason to write, since the browser has written it already; writing it again could undo a Back that
    came in between. A page without a slider (``has_slider``) writes its step itself. Step and scale come last, as the browser writes them.
    """
    st.session_state["has_written"] = True
    ordered = sorted(("lang", "run", "tour", *names), key=lambda name: name in BROWSER_FIELDS)
    parameters = {name: FIELDS[name].write(_fields()[name]) for name in ordered if name in _fields()}
    compared = {name: text for name, text in parameters.items() if not (has_slider and name in BROWSER_FIELDS)}
    if st.session_state.get("written") == (_place(), compared):
        return
    st.session_state["written"] = (_place(), compared)
    if "first_address" not in st.session_state:
        # The browser would make an entry of its history of it, from which Back leads to the same view: see `first_address`.
        st.session_state["first_address"] = "" if dict(st.query_params) else urlencode(parameters)
        if st.session_state["first_address"]:
            return
    if dict(st.query_params) != parameters:
        st.query_params.from_dict(parameters)


def first_address() -> str:
    """Return the fields of a visit that began at an address without any; the browser itself puts them there."""
    return str(st.session_state.get("first_address", ""))


@contextlib.contextmanager
def address_written(names: Sequence[str]) -> Iterator[None]:
    """Write the address at the end if the page did not, because it could not show its slider."""
    st.session_state["has_written"] = False
    yield
    if not st.session_state["has_written"]:
        write_address(names)


def _fields() -> MutableMapping[str, Any]:
    found: MutableMapping[str, Any] = st.session_state.setdefault("fields", {})
    return found


def _place() -> tuple[object, int]:
    return getattr(get_script_run_ctx(), "page_script_hash", None), visits()
