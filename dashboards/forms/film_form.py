"""The form for a film. Every setting is checked before anything is computed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.forms.group_form import highlight_input
from dashboards.forms.prompt_form import usual_prompt
from dashboards.page import Page
from dashboards.state.url import set_initial_value
from dashboards.widgets import choose, escape_markdown, slide_number
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import parse_highlight, split_highlight
from probes.texts import encode_prompt
from viz.films.timeline import Timeline
from viz.projection.projector import METHODS
from viz.registry import FILMS
from viz.request import FilmRequest

SIZES = {"1920x1080": "1080p", "1280x720": "720p"}
CONTROLS = ("none", "shuffled", "init")
MOST_CHARACTERS = 400
N_TEMPERATURES = 20  # as `probes.models.decoding` has them, which loads PyTorch


def ask_film(page: Page) -> FilmRequest | None:
    """Show the form and build a request from it; None, after a message, where it cannot be filmed."""
    say = page.say
    names = {name: kind.labels[say.language] for name, kind in FILMS.items()}
    what = choose(say("films.what"), names, "film_what", "tokens")
    fields = FILMS[what].fields
    chosen: dict[str, Any] = {}
    if "highlight" in fields:
        chosen = _table(page)
    elif "layer" in fields:
        chosen = _attention(page)
    elif "prompt" in fields:
        chosen = {"prompt": ask_short_prompt(page, "film_prompt")}
    n_keyframes = N_TEMPERATURES if what == "temperature" else len(page.run.manifest())
    look = _look(page, n_keyframes)
    request = FilmRequest(what=what, run=page.run.name, language=say.picture_language, **chosen, **look)
    try:
        check(page.run, request, say.language)
    except InputError as mistake:
        st.info(escape_markdown(page.say.error(mistake)), icon=":material/info:")
        return None
    return request


def _table(page: Page) -> dict[str, Any]:
    say = page.say
    left, middle, right = st.columns([1.2, 1.2, 1.8])
    method = choose(page.label("method"), METHODS, "film_method", "tsne", left)
    metrics = say.names("embeddings", "euclidean", "cosine")
    metric = choose(page.label("metric"), metrics, "film_metric", "euclidean", middle)
    beside = right.selectbox(
        page.label("control"),
        CONTROLS,
        format_func=lambda name: say(f"films.control_{name}"),
        key="film_control",
        help=say("films.control_help"),
    )
    highlight = split_highlight(highlight_input(page, "film_groups", "films.groups_help", MOST_CHARACTERS))
    control = None if beside == "none" else beside
    return {"method": method, "metric": metric, "control": control, "highlight": highlight}


def ask_short_prompt(page: Page, key: str, place: Any = st) -> str | None:
    """Ask for a prompt in a line; None if it is left empty."""
    text = place.text_input(
        page.label("prompt"),
        key=key,
        placeholder=usual_prompt(page.run),
        max_chars=MOST_CHARACTERS,
        help=page.say("attention.prompt_help"),
    )
    return text or None


def ask_part(page: Page, part: str, usual: str, key: str, place: Any = st) -> int | None:
    """Ask for a layer or a head; None, shown by the text ``usual``, if none is chosen."""
    at = place.selectbox(
        page.say(f"slider.{part}").capitalize(),
        [-1, *range(n_parts(page.run, part))],
        format_func=lambda at: page.say(usual) if at < 0 else str(at),
        key=key,
    )
    return None if at < 0 else at


def n_parts(run: Run, part: str) -> int:
    """Count the layers or heads of a run's model."""
    return int(run.info.get("model", {}).get(f"n_{part}", 0))


def _attention(page: Page) -> dict[str, Any]:
    text, layers, heads = st.columns([3, 1, 1])
    return {
        "prompt": ask_short_prompt(page, "film_prompt", text),
        "layer": ask_part(page, "layer", "films.all", "film_layer", layers),
        "head": ask_part(page, "head", "films.all", "film_head", heads),
    }


def _look(page: Page, n_keyframes: int) -> dict[str, Any]:
    say = page.say
    left, middle, right = st.columns([1.2, 1.2, 1.8])
    theme = choose(page.label("theme"), say.names("films", "light", "dark"), "film_theme", page.theme.name, left)
    size = choose(page.label("size"), SIZES, "film_size", "1920x1080", middle)
    set_initial_value("film_pace", FilmRequest.seconds_per_snapshot)
    pace = slide_number(page.label("seconds_per_snapshot"), (0.1, 2.0), 0.1, "film_pace", say, place=right)
    lasts = len(Timeline(max(2, n_keyframes), 30, pace, FilmRequest.hold)) / 30
    right.caption(say.count("films.lasts", round(lasts)))
    return {"theme": theme, "size": size, "seconds_per_snapshot": pace}


def check(run: Run, request: FilmRequest, language: str = "en") -> None:
    """Refuse what the command would refuse: as `FilmRequest.validate`; also groups that name nothing, and prompts that cannot be read."""
    request.validate()
    if "prompt" in request.kind.fields:
        encode_prompt(run, request.prompt)
    if request.highlight:
        context = int(run.info.get("model", {}).get("block_size", 0))
        labels = run.tokenizer.labels if request.what == "tokens" else [str(i) for i in range(context)]
        parse_highlight(request.highlight, labels, language=language)
