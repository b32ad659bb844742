"""The page of figures: a preview, downloads as PNG, SVG and PDF, and a deck of all of them."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from dashboards.compute.background_jobs import BackgroundJob
from dashboards.compute.job_progress import arrived, show_jobs_of, start_job
from dashboards.compute.jobs import JobKey
from dashboards.compute.result_cache import CachedResult
from dashboards.forms.figure_form import ask_figure, figure_name, reasons
from dashboards.page import Page, open_page
from dashboards.state import run_list
from dashboards.state.url import write_address
from dashboards.widgets import escape_markdown, guarded, megabytes, offer_download, show_notes
from data.progress import Progress
from viz.figures.deck import deck_name, require_pptx
from viz.figures.figure import Figure, make_figure
from viz.projection.projector import METHODS
from viz.request import FIGURE_FORMATS, FigureRequest

FOLDER = "figures"
FIELDS = ("figure", "prompt", "layer", "head", "method", "group", "colors", "shape", "ground", "bars", "step")
MIMES = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
DECK_MIME = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
# About as high as a laptop's window, with the buttons below.
WIDTHS_PX = {"16:9": 1000, "4:3": 750, "square": 570, "large": 1000}

# A figure that is drawn within this time is waited for.
PATIENCE_S = 0.5
LOOK_EVERY_S = 0.4

# matplotlib's figures are not thread-safe, and encoding sets its global settings.
_encoding = threading.Lock()


@dataclass(frozen=True)
class Still:
    """A drawn figure and its PNG."""

    figure: Figure
    png: bytes


def show() -> None:
    """Draw the page."""
    page = open_page()
    request = ask_figure(page)
    arrived(page.say)
    guarded(lambda: _still(page, request), page.say)
    guarded(lambda: _deck(page, request), page.say, "notes_of_deck")
    _left_out(page)
    write_address(FIELDS, has_slider=False)


def _still(page: Page, request: FigureRequest) -> None:
    name = request.only[0]
    left_out = reasons(page.run)
    if name in left_out:
        st.info(
            escape_markdown(f"{figure_name(name, page)}: {page.say.error(left_out[name])}"), icon=":material/block:"
        )
        return
    found = draw(page, request)
    if found is None:
        return
    show_notes(found.notes, page.say)
    still = found.value
    st.session_state["figure_before"] = (still.png, request.size, still.figure.alt_text)
    with st.container(key="figure_preview", border=True, horizontal_alignment="center"):
        st.image(still.png, width=WIDTHS_PX[request.size], alt=still.figure.alt_text)
    st.caption(escape_markdown(still.figure.alt_text))
    with st.container(horizontal=True):
        for suffix in FIGURE_FORMATS:
            data = still.png if suffix == "png" else partial(_encoded, still.figure, suffix)
            file = f"{page.run.name}-{request.file_name}.{suffix}"
            offer_download(suffix.upper(), data, file, MIMES[suffix], help=page.say(f"figures.{suffix}_help"))


def draw(page: Page, request: FigureRequest) -> CachedResult[Still] | None:
    """Draw a figure in the background, or take it from the cache; None, after what waits for it is shown, until it is drawn."""
    key = (page.run.path, run_list.stamp(page.run), request)
    if st.session_state.get("cancelled_figure") == key:
        _show_before()
        if not st.button(page.say("figures.draw"), icon=":material/brush:", key="figure_draw"):
            return None
        del st.session_state["cancelled_figure"]
        st.rerun()

    def make(progress: Progress) -> CachedResult[Still]:
        path, stamp, _ = key
        in_drawing_thread = partial(page.computation.draw, partial(_draw, page, request, progress))
        return page.computation.figures.get((path, request), in_drawing_thread, stamp)

    found = page.computation.background.poll(("figure", key), make, PATIENCE_S)
    if not isinstance(found, BackgroundJob):
        return found
    _show_waiting(page, request, found, key)
    return None


def _show_waiting(page: Page, request: FigureRequest, job: BackgroundJob[CachedResult[Still]], key: Hashable) -> None:
    """Show how far a figure is, over the faded figure that was asked for before."""
    total = max(1, len(page.run.manifest()))
    name = escape_markdown(figure_name(request.only[0], page))

    @st.fragment(run_every=LOOK_EVERY_S)
    def line() -> None:
        if job.is_finished:
            st.rerun()
        done = page.say("jobs.snapshots", done=page.say.number(int(job.done)), total=page.say.number(total))
        text = f"{page.say('figures.drawing')}: {name}" + (f" · {done}" if job.done else "")
        with st.container(key="figure_waits", border=True, horizontal=True, vertical_alignment="center"):
            st.progress(min(1.0, job.done / total), text)
            if st.button(page.say("jobs.cancel"), icon=":material/stop_circle:", key="figure_cancel"):
                job.cancel()
                st.session_state["cancelled_figure"] = key
                st.rerun()

    with st.container(key="figure_waiting"):
        _show_before()
        line()


def _show_before() -> None:
    if "figure_before" not in st.session_state:
        return
    png, size, alt = st.session_state["figure_before"]
    with st.container(key="figure_before", border=True, horizontal_alignment="center"):
        st.image(png, width=WIDTHS_PX[size], alt=alt)


def _draw(page: Page, request: FigureRequest, progress: Progress) -> Still:
    figure = make_figure(page.run, request, progress=progress)
    return Still(figure, _encoded(figure, "png"))


def _encoded(figure: Figure, suffix: str) -> bytes:
    with _encoding:
        return figure.encode(suffix)


def _deck(page: Page, request: FigureRequest) -> None:
    """Show the button and the download of a deck: all figures that apply, and the films."""
    say = page.say
    with st.container(border=True):
        st.markdown(f"**:material/slideshow: {say('figures.deck')}**")
        st.caption(say("figures.deck_help", method=METHODS["tsne"]))
        require_pptx()
        name = deck_name(page.run, request)
        key = JobKey(page.run.name, f"{FOLDER}/{name}")
        is_running = show_jobs_of(page, FOLDER, ".pptx")
        with st.container(horizontal=True, vertical_alignment="center"):
            if not is_running and st.button(say("figures.make_deck"), icon=":material/build:", key="deck_make"):
                _start_deck(page, request, key)
            path = page.run.inside(FOLDER, f"{name}.pptx")
            if path in run_list.files(page.run, FOLDER, (".pptx",)):
                label = f"{path.name} · {megabytes(path, say)}"
                offer_download(label, partial(path.read_bytes), path.name, DECK_MIME)
        job = page.computation.jobs.get(key)
        if job is not None and job.status.state == "done":
            show_notes([line for line in job.status.lines if line.startswith(("not drawn", "warning: "))], say)


def _start_deck(page: Page, request: FigureRequest, key: JobKey) -> None:
    look: dict[str, Any] = {"theme": request.theme, "size": request.size, "language": request.language}
    deck = FigureRequest(run=page.run.name, format="png", deck=True, **look)
    start_job(page, key, ["viz.figures", *deck.arguments()], hidden=(page.run.inside(FOLDER), ""))


def _left_out(page: Page) -> None:
    """List the figures that do not apply to this run, with the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons(page.run).items():
        by_reason.setdefault(reason, []).append(figure_name(name, page))
    for reason, names in by_reason.items():
        st.caption(f":material/block: {escape_markdown(', '.join(names))}: {escape_markdown(page.say.error(reason))}")
