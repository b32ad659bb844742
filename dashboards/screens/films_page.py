"""The page of films: those rendered of the run, playing, and a form that renders more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboards.compute.job_progress import arrived, show_jobs_of, start_job
from dashboards.compute.jobs import JobKey
from dashboards.forms.film_form import ask_film
from dashboards.page import Page, open_page
from dashboards.state import film_list
from dashboards.state.film_list import FilmFiles
from dashboards.state.url import get_field, set_field, set_initial_value, write_address
from dashboards.widgets import escape_markdown, guarded, megabytes, offer_download

FOLDER = "films"
LIST_HEIGHT_PX, MOST_WHOLE = 480, 5
"""A list of more films scrolls in this height."""
FIELDS = ("film",)
MIMES = {".mp4": "video/mp4", ".gif": "image/gif"}


def show() -> None:
    """Draw the page."""
    page = open_page()
    _show_ended(page)
    with st.container():  # always there, so that the film below keeps its place and plays on when a bar appears or goes
        is_rendering = show_jobs_of(page, FOLDER)
    is_empty = not film_list.films(page.run)
    if not is_rendering or not is_empty:
        guarded(lambda: _gallery(page), page.say)
    with st.expander(page.say("films.new"), expanded=is_empty, icon=":material/movie_edit:", key="film_form"):
        guarded(lambda: _form(page), page.say)
    write_address(FIELDS)


def _show_ended(page: Page) -> None:
    """Select a film that this visit waited for."""
    for job in arrived(page.say):
        if job.key.run == page.run.name and job.key.made.startswith(f"{FOLDER}/"):
            set_field("film", job.key.made.removeprefix(f"{FOLDER}/"))
            st.session_state.pop("film_choice", None)


def _gallery(page: Page) -> None:
    films, say = film_list.films(page.run), page.say
    if not films:
        with st.container(border=True, horizontal_alignment="center"):
            st.space("small")
            st.markdown(f"#### :material/movie: {say('films.none')}", width="content")
            st.caption(say("films.none_yet"), width="content")
            st.space("small")
        set_field("film", None)
        return
    by_stem = {film.stem: film for film in films}
    linked = get_field("film")
    with st.container():
        if linked is not None and linked not in by_stem:
            st.warning(escape_markdown(say("films.no_such_film", name=linked[:80])), icon=":material/link_off:")
            set_field("film", None)
    player_column, list_column = st.columns([3, 1])
    with list_column:
        chosen = by_stem[_choose(page, films)]
    with player_column:
        _play(page, chosen)


def _choose(page: Page, films: Sequence[FilmFiles]) -> str:
    stems = [film.stem for film in films]
    linked = get_field("film")
    set_initial_value("film_choice", linked if linked in stems else stems[0], stems)
    titles = {film.stem: escape_markdown(film_list.title(film, page.say)) for film in films}
    with st.container(height=LIST_HEIGHT_PX if len(films) > MOST_WHOLE else "content", border=False):
        stem: str = st.radio(
            page.say("films.rendered"),
            stems,
            format_func=titles.__getitem__,
            captions=[escape_markdown(film_list.details(film, page.say)) for film in films],
            key="film_choice",
        )
    set_field("film", None if stem == stems[0] else stem)
    return stem


def _play(page: Page, film: FilmFiles) -> None:
    """Play a film, muted and in a loop, above its alt text and its files."""
    mp4, gif = film.files.get(".mp4"), film.files.get(".gif")
    if mp4:
        st.video(str(mp4), autoplay=True, loop=True, muted=True, alt=film.alt_text or None)
    elif gif:
        st.image(str(gif), width="stretch", alt=film.alt_text or None)
    st.caption(escape_markdown(film.alt_text) or page.say("films.no_sidecar"))
    with st.container(horizontal=True):
        for suffix, path in film.files.items():
            label = f"{suffix[1:].upper()} · {megabytes(path, page.say)}"
            offer_download(label, partial(path.read_bytes), path.name, MIMES[suffix])
        if film.sidecar:
            offer_download(
                page.say("films.sidecar"),
                partial(film.sidecar.read_bytes),
                film.sidecar.name,
                "application/json",
                icon="description",
                help=page.say("films.sidecar_help"),
            )


def _form(page: Page) -> None:
    request = ask_film(page)
    if request is None:
        return
    stem = request.file_name
    is_there = any(film.stem == stem for film in film_list.films(page.run))
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(page.say("films.render"), type="primary", icon=":material/movie:", key="film_render")
        st.caption(page.say("films.replaces" if is_there else "films.as", name=escape_markdown(stem)))
    if pressed:
        key, hidden = JobKey(page.run.name, f"{FOLDER}/{stem}"), (page.run.inside(FOLDER), f".{stem}.partial")
        start_job(page, key, ("viz.video", *request.arguments()), hidden)
