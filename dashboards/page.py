"""What all pages have in common: the choice of a run, the reader's language, and the player with its slider."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards.compute import record_queries
from dashboards.compute.computation import Computation, start_computation
from dashboards.player import Events
from dashboards.player import show as mount
from dashboards.state import run_list
from dashboards.state.language import LANGUAGE_COOKIE, Translation, first_language
from dashboards.state.url import (
    forget_events,
    get_field,
    is_initialised,
    set_field,
    set_initial_value,
    visits,
    write_address,
)
from dashboards.widgets import escape_markdown, guarded
from data.progress import Progress
from data.runs import Run
from viz.drawing.theme import THEMES, Theme
from viz.player.loss_panel import validation_loss
from viz.player.panels import Panel
from viz.player.scene import NarrowGrid, Scene

REFRESH_EVERY_S = 2.0
# Streamlit drops what is not yet sent when a fragment reruns, but tells the browser that the earlier run is complete. The browser would
# then remove the player, with its zoom and playback, until the fragment is done.
SEND_TIME_S = 0.05


@dataclass(frozen=True)
class Page:
    """What a page is drawn with: the run, texts in the reader's language, the theme's colours, and the server's caches and jobs."""

    run: Run
    say: Translation
    theme: Theme
    computation: Computation

    @property
    def is_live(self) -> bool:
        return run_list.is_live(self.run)

    def label(self, field: str) -> str:
        """Return the label of a request's field in the reader's language."""
        return self.say.field(field)


@st.cache_resource(show_spinner=False)
def shared_computation() -> Computation:
    """Return the computation of this server; it is created on the first call."""
    return start_computation()


def translation() -> Translation:
    """Return the texts in the language of this visit."""
    return Translation(get_field("lang") or usual_language())


def usual_language() -> str:
    """Choose the language where the address names none: the one chosen on an earlier visit, or else the browser's."""
    context = st.context
    wanted = context.cookies.get(LANGUAGE_COOKIE), context.locale, context.headers.get("Accept-Language")
    return first_language(*(tag for tag in wanted if isinstance(tag, str)))


def mark_language() -> None:
    """Set the language of the document in the browser, for screen readers and hyphenation; and let it keep a language that was chosen."""
    say = translation()
    script = f"document.documentElement.lang = '{say.tag}';"
    if say.language == st.session_state.get("chosen_language"):
        script += f"document.cookie = '{LANGUAGE_COOKIE}={say.language}; path=/; max-age=31536000; SameSite=Strict';"
    with st.sidebar.container(key="page_language"):
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def open_page() -> Page:
    """Choose the run in the sidebar and open it; without a run, show why and stop the page."""
    say = translation()
    runs = run_list.runs()
    names = [run.name for run in runs]
    wanted = get_field("run")
    if wanted is not None and wanted not in names:
        st.toast(escape_markdown(say("page.no_such_run", name=wanted)), icon=":material/link_off:", duration="long")
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
    return Page(runs[names.index(chosen)], say, THEMES[current_theme()], shared_computation())


def choose_language(chosen: str) -> None:
    """Draw the page in another language from now on."""
    if chosen != translation().language:
        set_field("lang", None if chosen == usual_language() else chosen)
        st.session_state["chosen_language"] = chosen
        st.rerun()


def current_page() -> Page | None:
    """Return the run that the next page will open; None without a run."""
    runs = {run.name: run for run in run_list.runs()}
    wanted = st.session_state.get("run_choice") if is_initialised("run_choice") else get_field("run")
    run = runs.get(str(wanted)) or next(iter(runs.values()), None)
    return None if run is None else Page(run, translation(), THEMES[current_theme()], shared_computation())


def current_theme() -> str:
    """Return ``light`` or ``dark``, as the browser shows the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


def show_live(page: Page, draw: Callable[[], None]) -> None:
    """Draw the part of a page that holds the slider in a fragment, which reruns alone, and every two seconds while the run is live."""
    was_live = page.is_live

    def part() -> None:
        if was_live and not page.is_live:
            st.rerun()  # the whole page, once: the run has ended and the fragment need not rerun any more
        guarded(draw, page.say)

    st.fragment(part, run_every=REFRESH_EVERY_S if was_live else None)()


def validation_losses(page: Page) -> tuple[list[int], list[float]] | None:
    """Return steps and validation losses of a run, or None if no loss was measured."""
    return validation_loss(record_queries.metrics(page.computation, page.run))


def snapshot_progress(page: Page, place: DeltaGenerator, key: str) -> Progress:
    """Build the function that shows progress over the snapshots of the run; ``key`` is that of its text."""
    total, text = max(1, len(page.run.manifest())), snapshots_text(page, key)

    def update(done: int, note: str = "") -> None:
        place.progress(min(1.0, done / total), text(done))

    return update


def snapshots_text(page: Page, key: str) -> Callable[[float], str]:
    """Build the function that writes how many snapshots of the run are done; ``key`` is that of the text."""
    total = page.say.number(max(1, len(page.run.manifest())))
    return lambda done: page.say(key, done=page.say.number(int(done)), total=total)


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
    narrow_grids: Sequence[NarrowGrid] = (),
) -> Events:
    """Show panels under one slider, and write its position into the address.

    Parameters
    ----------
    name : of the page. While the page is open, the slider keeps its position.
    columns : CSS ``grid-template`` of the panels' areas.
    steps : the steps at which the slider stops.
    fields : further fields of the address that this page uses.
    least_px, most_px : smallest and largest height of the panels, which fill the window.
    narrow_grids : layouts for narrower windows.
    """
    entry, is_new = _entry(name, page.run, steps)
    scene = Scene(
        steps=steps,
        step=entry,
        theme=page.theme,
        panels=panels,
        grid=columns,
        words=page.say.section("slider"),
        language=page.say.tag,
        scale=get_field("scale"),
        decision=f"{page.run.name} {visits()} {_n_set_steps()}",
        live=page.is_live,
        loss=validation_losses(page),
        unknown_step=page.say.step(page.run, 0) if page.run.step_attrs else "",
        title=page.run.name,
        min_height_px=least_px,
        max_height_px=most_px,
        narrow_grids=narrow_grids,
    )
    names = [*fields, "step", "scale"]
    if is_new:
        write_address(names)  # before the browser, which owns the slider from now on, may write its position
    events = mount(scene, key=f"player_{name}")
    time.sleep(SEND_TIME_S)
    _set_position(events, steps, is_new=is_new)
    if not is_new:
        write_address(names)
    return events


def _set_position(events: Events, steps: Sequence[int], *, is_new: bool) -> None:
    """Set step and scale to those of the slider; on entry the page decides the step."""
    if not is_new and events.step in steps:
        set_field("step", None if events.step == steps[-1] else events.step)
    if events.scale:
        set_field("scale", events.scale)


def set_step(step: int | None) -> None:
    """Move the slider from the page, not from the browser; None is the last snapshot."""
    if step != get_field("step"):
        st.session_state["n_set_steps"] = _n_set_steps() + 1
    set_field("step", step)


def _n_set_steps() -> int:
    """Count how often the page has moved the slider; browser and server then forget its earlier position."""
    return int(st.session_state.get("n_set_steps", 0))


def _entry(name: str, run: Run, steps: Sequence[int]) -> tuple[int, bool]:
    """Return the step at page entry, and whether the page was entered just now; while it is open, the browser owns the slider."""
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
