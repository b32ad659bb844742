"""Notes, messages, choices, downloads and places for progress, as all pages show them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards.state.language import Translation
from dashboards.state.url import get_field, set_field, set_initial_value
from data.errors import InputError

Option = TypeVar("Option", str, int)

MOST_NOTES = 4
# The notes of the part of a page that is being drawn; None outside of such a part.
_collected: ContextVar[list[str] | None] = ContextVar("collected_notes", default=None)
_ADDRESS = re.compile(r"://|www(?=\.)|@", re.IGNORECASE)


def as_json(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Pass data to a component as JSON, a list whose only entry it is.

    Streamlit looks for tables among the values of a dictionary, and imports pandas and pyarrow for that: a second more until the first page
    stands. What stands in a list is sent as it is.
    """
    return [dict(data)]


def escape_markdown(text: str) -> str:
    """Escape a text for places that read Markdown, so that names and prompts do not become links, formulas or colours.

    Examples
    --------
    >>> escape_markdown("a_b [x](y) $z$ :red[w]")
    'a\\\\_b \\\\[x\\\\]\\\\(y\\\\) \\\\$z\\\\$ \\\\:red\\\\[w\\\\]'
    """
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]()#+-!|<>$:~&" else c for c in text)
    # Addresses become links even if escaped, unless an invisible joiner stands in them.
    return _ADDRESS.sub(lambda found: f"{found[0][0]}\u2060{found[0][1:]}", escaped)


def show_notes(notes: Sequence[str], say: Translation) -> None:
    """Show notes, such as what was left out and why, in the corner of the window.

    The notes of a part of a page that is `guarded` are shown together at its end.
    """
    if (collected := _collected.get()) is None:
        _draw_notes(notes, say, "notes")
    else:
        collected += notes


def _draw_notes(notes: Sequence[str], say: Translation, name: str) -> None:
    """Draw a box that can be folded, over the corner of the page: it moves nothing, see ``.st-key-notes`` in page.css."""
    if not notes:
        return
    shown = list(dict.fromkeys(notes))
    n_more = len(shown) - MOST_NOTES
    more = [say("page.more_notes", n=n_more)] if n_more > 0 else []
    lines = [*(escape_markdown(say.error(note)) for note in shown[:MOST_NOTES]), *more]
    with st.container(key=name), st.expander(say("page.notes"), expanded=True, icon=":material/warning:"):
        st.warning("\n\n".join(lines))


def guarded(draw: Callable[[], None], say: Translation, name: str = "notes") -> None:
    """Draw a part of a page; if it cannot be drawn, show the reason in its place, and the rest of the page goes on.

    Parameters
    ----------
    draw : draws the part.
    name : of the box with the part's notes. Where a page has two parts with notes, each box needs its own name.
    """
    notes: list[str] = []
    before = _collected.set(notes)
    try:
        draw()
    except InputError as error:
        st.info(escape_markdown(say.error(error)), icon=":material/info:")
    except OSError:
        st.warning(say("page.vanished"), icon=":material/folder_off:")
    finally:
        _collected.reset(before)
    _draw_notes(notes, say, name)


def choose(
    label: str,
    names: Mapping[Option, str],
    key: str,
    default: Option | None = None,
    place: Any = st,
    *,
    help: str | None = None,
) -> Option:
    """Show a few options by their names, and return the chosen one."""
    options, name_of = list(names), names.__getitem__
    chosen = place.segmented_control(
        label, options, default=default, format_func=name_of, key=key, required=True, help=help
    )
    return cast("Option", chosen)


def ask_option(
    field: str, label: str, names: Mapping[Option, str], key: str | None = None, *, help: str | None = None
) -> Option:
    """Ask for one of a few options, and set a field of the address."""
    key, now = key or f"{field}_choice", get_field(field)
    set_initial_value(key, now if now in names else next(iter(names)))
    chosen = choose(label, names, key, help=help)
    set_field(field, chosen)
    return chosen


def slide_number(
    label: str,
    ends: tuple[float, float],
    step: float,
    key: str,
    say: Translation,
    *,
    help: str | None = None,
    place: Any = st,
) -> float:
    """Ask for a number on a slider that writes it as the reader's language does, which `st.slider` cannot.

    Parameters
    ----------
    ends, step : the values to choose from. The value that the key has is among them as well, since a link may name one between them.
    """
    low, high = ends
    values = {round(low + i * step, 6) for i in range(round((high - low) / step) + 1)} | {float(st.session_state[key])}
    decimals = max(len(f"{value:g}".partition(".")[2]) for value in values)
    chosen = place.select_slider(
        label, sorted(values), format_func=lambda value: say.number(value, decimals), key=key, help=help
    )
    return float(chosen)


def offer_download(
    label: str,
    data: bytes | Callable[[], bytes],
    name: str,
    mime: str,
    *,
    icon: str = "download",
    help: str | None = None,
) -> None:
    """Show the button of a download; a function is called on a click, not at every rerun."""
    st.download_button(
        label,
        data,
        name,
        mime,
        key=f"download {name}",
        icon=f":material/{icon}:",
        on_click="ignore",  # a rerun would drop the file that the browser is about to fetch
        help=help,
    )


def megabytes(path: Path, say: Translation) -> str:
    """Write the size of a file."""
    return f"{say.number(path.stat().st_size / 1e6, 1)} MB"


@contextlib.contextmanager
def cleared_place() -> Iterator[DeltaGenerator]:
    """Make a place for progress, which is empty again in the end."""
    place = st.empty()
    try:
        yield place
    finally:
        place.empty()
