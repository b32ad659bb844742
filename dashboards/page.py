"""What every page has around it: the run that is shown, the language, what went wrong, and the slider's state in the address."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import streamlit as st

from dashboards.compute.queries import metrics
from dashboards.player import Events
from dashboards.player import show as mount
from dashboards.state import run_list
from dashboards.state.language import LANGUAGES, Translation
from dashboards.state.url import forget_events, get_field, set_field, set_initial_value, visits, write_address
from data.errors import InputError
from data.runs import Run
from viz.drawing.theme import THEMES, Theme
from viz.player import Panel, Scene

Option = TypeVar("Option", str, int)

REFRESH_EVERY_S = 2.0
# What is not yet sent when a fragment begins to run again, Streamlit drops, and yet tells the browser that the run before is complete:
# it would take the slider away, and with it a zoom or what plays, until the fragment is done.
SEND_TIME_S = 0.05
_ADDRESS = re.compile(r"://|www(?=\.)|@", re.IGNORECASE)

# Streamlit leaves a hand's breadth above a page and wide margins beside it; on a laptop's screen the picture needs them.
STYLE = """<style>
.stMainBlockContainer { padding: 4.2rem 1.6rem 1rem; max-width: none; }
.stSidebar [data-testid="stSidebarUserContent"] { padding-top: 0.5rem; }
.stMain [data-testid="stMetricValue"] { font-size: 1.7rem; line-height: 1.25; }
.stMain [data-testid="stMetricValue"] + div { margin-top: 0; }
</style>"""


@dataclass(frozen=True)
class Page:
    """What a page is made with: the run, the words in the reader's language, and the colours of the reader's theme."""

    run: Run
    say: Translation
    theme: Theme

    @property
    def is_live(self) -> bool:
        return run_list.is_live(self.run)


def translation() -> Translation:
    """Return the catalogue in the language of this visit."""
    return Translation(get_field("lang"))


def theme() -> Theme:
    """Return the project's colours that go with the reader's theme."""
    return THEMES["dark" if st.context.theme.type == "dark" else "light"]


def open_page() -> Page:
    """Choose the run in the sidebar and open it; a page that cannot be shown says why and ends here."""
    say = translation()
    runs = run_list.runs()
    names = [run.name for run in runs]
    wanted = get_field("run")
    if wanted is not None and wanted not in names:
        st.warning(escape_markdown(say("page.no_such_run", name=wanted)), icon=":material/link_off:")
        set_field("run", None)
        set_step(None)
        wanted = None
    if not names:
        st.info(say("page.gone"), icon=":material/folder_off:")
        st.stop()
    set_initial_value("run_choice", wanted or names[0], names)
    with st.sidebar:
        chosen = st.selectbox(say("page.run"), names, key="run_choice", help=say("page.run_help"))
    if chosen != (wanted or names[0]):
        set_step(None)
    set_field("run", chosen)
    return Page(runs[names.index(chosen)], say, theme())


def choose_language() -> None:
    """Offer the languages at the foot of the sidebar."""
    with st.sidebar:
        now = get_field("lang")
        set_initial_value("language_choice", now)
        chosen = st.segmented_control(
            translation()("page.language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            key="language_choice",
        )
    if chosen and chosen != now:
        set_field("lang", chosen)
        st.rerun()


def show_notes(notes: Sequence[str], say: Translation) -> None:
    """Name what was left out or could not be had, in one quiet box."""
    if notes:
        shown = list(dict.fromkeys(notes))
        more = [say("page.more_notes", n=len(shown) - 4)] if len(shown) > 4 else []
        st.warning("\n\n".join([*(escape_markdown(note) for note in shown[:4]), *more]), icon=":material/warning:")


def escape_markdown(text: str) -> str:
    """Return a text as it is for places that read Markdown: names and prompts must not become links, formulas or colours.

    Examples
    --------
    >>> plain("a_b [x](y) $z$ :red[w]")
    'a\\\\_b \\\\[x\\\\]\\\\(y\\\\) \\\\$z\\\\$ \\\\:red\\\\[w\\\\]'
    """
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]()#+-!|<>$:~&" else c for c in text)
    # Addresses become links even if escaped, unless something stands in them: a joiner that is not seen.
    return _ADDRESS.sub(lambda found: f"{found[0][0]}\u2060{found[0][1:]}", escaped)


def guarded(draw: Callable[[], None], say: Translation) -> None:
    """Draw a part of a page; what cannot be shown is told in one line, and the rest of the page goes on."""
    try:
        draw()
    except InputError as mistake:
        st.info(escape_markdown(str(mistake)), icon=":material/info:")
    except OSError:
        st.warning(say("page.vanished"), icon=":material/folder_off:")


def live_fragment(page: Page) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Return the decorator for the part that moves with the slider: alone it runs again, and every two seconds while the run grows."""
    was_live = page.is_live

    def decorate(draw: Callable[[], None]) -> Callable[[], None]:
        def part() -> None:
            if was_live and not page.is_live:
                st.rerun()  # the whole page, once: it has come to its end, and need not be looked at again and again
            draw()

        fragment: Callable[[], None] = st.fragment(run_every=REFRESH_EVERY_S if was_live else None)(part)
        return fragment

    return decorate


def validation_losses(run: Run) -> tuple[list[int], list[float]] | None:
    """Return the validation loss over steps as the slider shows it, None where nothing was measured."""
    measured = [(int(one["step"]), one.get("val_loss")) for one in metrics(run)]
    found = [(step, float(loss)) for step, loss in measured if loss is not None and math.isfinite(loss)]
    return ([step for step, _ in found], [loss for _, loss in found]) if found else None


def show_scene(
    page: Page,
    name: str,
    panels: Sequence[Panel],
    columns: str,
    steps: Sequence[int],
    *,
    fields: Sequence[str] = (),
    least_px: int = 520,
    most_px: int | None = None,
) -> Events:
    """Put panels under one slider, and write where it rests into the address.

    Parameters
    ----------
    name : of the page; a slider that was moved keeps its place while the page stays.
    columns : CSS ``grid-template`` of the panels' areas.
    steps : the snapshots that the slider stops at.
    fields : what else of the view belongs into the address.
    least_px, most_px : heights between which the panels fill the window.
    """
    entry, is_new = _entry(name, page.run, steps)
    scene = Scene(
        steps=steps,
        step=entry,
        theme=page.theme,
        panels=panels,
        columns=columns,
        words=page.say.section("slider"),
        language=page.say.tag,
        scale=get_field("scale"),
        asked=f"{page.run.name} {visits()} {n_set_steps()}",
        live=page.is_live,
        loss=validation_losses(page.run),
        least_px=least_px,
        most_px=most_px,
    )
    names = [*fields, "step", "scale"]
    if is_new:
        write_address(names)  # before the browser, which has the slider from now on, may write where it stands
    events = mount(scene, key=f"player_{name}")
    time.sleep(SEND_TIME_S)
    if not is_new and events.step in set(steps):
        set_field("step", None if events.step == steps[-1] else events.step)
    if events.scale:
        set_field("scale", events.scale)
    if not is_new:
        write_address(names)
    return events


def set_step(step: int | None) -> None:
    """Let the page, not the slider, say where the slider stands; None is the last snapshot."""
    if step != get_field("step"):
        st.session_state["n_set_steps"] = n_set_steps() + 1
    set_field("step", step)


def n_set_steps() -> int:
    """Return how often a page has said where the slider stands: browser and server then forget where it stood before."""
    return int(st.session_state.get("n_set_steps", 0))


def _entry(name: str, run: Run, steps: Sequence[int]) -> tuple[int, bool]:
    """Return the step at which the page was entered, and whether that was just now; while it stays, the slider is the browser's."""
    entered: dict[str, object] = st.session_state.setdefault("entered", {})
    is_new = (entered.get("page"), entered.get("run"), entered.get("visit")) != (name, run.name, visits())
    if is_new:
        wanted = get_field("step")
        nearest = steps[-1] if wanted is None else min(steps, key=lambda step: abs(step - wanted))
        if wanted is not None and nearest != wanted:
            st.toast(translation()("page.nearest_step", step=wanted, nearest=nearest), icon=":material/near_me:")
            set_field("step", nearest)
        entered.update(page=name, run=run.name, visit=visits(), step=nearest)
        forget_events()
    return int(entered["step"]), is_new  # type: ignore[call-overload]


def ask_option(name: str, label: str, options: Sequence[Option], write: Callable[[Option], str]) -> Option:
    """Ask for one of a few options; what is chosen goes into the address under its name."""
    now = get_field(name)
    set_initial_value(f"{name}_choice", now if now in options else options[0])
    chosen: Any = st.segmented_control(label, options, format_func=write, key=f"{name}_choice", required=True)
    set_field(name, chosen)
    return cast("Option", chosen)


def without_advice(mistake: InputError) -> str:
    """Return what is wrong without what to type in a terminal.

    Examples
    --------
    >>> without_advice(InputError("run 'a' does not say which text it learned from: pass one with --text"))
    "run 'a' does not say which text it learned from"
    """
    return re.sub(r":[^:]*(--\w|`\w)[^:]*$", "", str(mistake))
