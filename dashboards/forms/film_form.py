"""The form for a film. Every setting is checked before anything is computed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.page import Page, escape_markdown
from dashboards.state.film_list import METHODS
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import parse_highlight, split_highlight
from probes.texts import default_prompt, encode_prompt
from viz.films.timeline import Timeline
from viz.registry import FILMS
from viz.request import FilmRequest

SIZES = {"1920x1080": "1080p", "1280x720": "720p"}
CONTROLS = ("none", "shuffled", "init")
MOST_CHARACTERS = 400
N_TEMPERATURES = 20  # as `probes.models.decoding` has them, which loads PyTorch


def ask_film(page: Page) -> FilmRequest | None:
    """Show the form and build a request from it; None, after a message, where it cannot be filmed."""
    say = page.say
    what = st.segmented_control(
        say("films.what"),
        list(FILMS),
        default="tokens",
        format_func=lambda name: FILMS[name].labels[say.language],
        required=True,
        key="film_what",
    )
    fields = FILMS[what].fields
    chosen = {}
    if "highlight" in fields:
        chosen = _table(page)
    elif "layer" in fields:
        chosen = _attention(page)
    elif "prompt" in fields:
        chosen = _prompt(page)
    n_keyframes = N_TEMPERATURES if what == "temperature" else len(page.run.manifest())
    request = FilmRequest(what=what, run=page.run.name, **chosen, **_look(page, n_keyframes))
    try:
        check(page.run, request, say.language)
    except InputError as mistake:
        st.info(escape_markdown(page.say.error(mistake)), icon=":material/info:")
        return None
    return request


def _table(page: Page) -> dict[str, Any]:
    say = page.say
    method, metric, control = st.columns([1.2, 1.2, 1.8])
    with method:
        chosen = st.segmented_control(
            page.label("method"),
            list(METHODS),
            default="tsne",
            format_func=METHODS.__getitem__,
            required=True,
            key="film_method",
        )
    with metric:
        distance = st.segmented_control(
            page.label("metric"),
            ["euclidean", "cosine"],
            default="euclidean",
            format_func=lambda name: say(f"embeddings.{name}"),
            required=True,
            key="film_metric",
        )
    with control:
        beside = st.selectbox(
            page.label("control"),
            CONTROLS,
            format_func=lambda name: say(f"films.control_{name}"),
            key="film_control",
            help=say("films.control_help"),
        )
    chosen_control = None if beside == "none" else beside
    return {"method": chosen, "metric": distance, "control": chosen_control, "highlight": _highlight(page)}


def _highlight(page: Page) -> tuple[str, ...]:
    text = st.text_input(
        page.label("highlight"),
        key="film_groups",
        placeholder=page.say("embeddings.groups_placeholder"),
        max_chars=MOST_CHARACTERS,
        help=page.say("films.groups_help"),
    )
    return split_highlight(text)


def _prompt(page: Page, place: Any = st) -> dict[str, Any]:
    try:
        usual = default_prompt(page.run)
    except InputError:
        usual = ""
    prompt = place.text_input(
        page.label("prompt"),
        key="film_prompt",
        placeholder=usual,
        max_chars=MOST_CHARACTERS,
        help=page.say("attention.prompt_help"),
    )
    return {"prompt": prompt or None}


def _attention(page: Page) -> dict[str, Any]:
    say, model = page.say, page.run.info.get("model", {})
    text, layers, heads = st.columns([3, 1, 1])
    chosen = _prompt(page, text)
    for place, name in ((layers, "layer"), (heads, "head")):
        at = place.selectbox(
            say(f"slider.{name}").capitalize(),
            [-1, *range(int(model.get(f"n_{name}", 0)))],
            format_func=lambda at: say("films.all") if at < 0 else str(at),
            key=f"film_{name}",
        )
        chosen[name] = None if at < 0 else at
    return chosen


def _look(page: Page, n_keyframes: int) -> dict[str, Any]:
    say = page.say
    theme, size, pace = st.columns([1.2, 1.2, 1.8])
    with theme:
        chosen = st.segmented_control(
            page.label("theme"),
            ["light", "dark"],
            default=page.theme.name,
            format_func=lambda name: say(f"films.{name}"),
            required=True,
            key="film_theme",
        )
    with size:
        pixels = st.segmented_control(
            page.label("size"),
            list(SIZES),
            default="1920x1080",
            format_func=SIZES.__getitem__,
            required=True,
            key="film_size",
        )
    with pace:
        seconds = st.slider(page.label("seconds_per_snapshot"), 0.1, 2.0, 0.5, 0.1, key="film_pace")
        lasts = len(Timeline(max(2, n_keyframes), 30, seconds, FilmRequest.hold)) / 30
        st.caption(say("films.lasts", seconds=say.number(lasts)))
    return {"theme": chosen, "size": pixels, "seconds_per_snapshot": seconds}


def check(run: Run, request: FilmRequest, language: str = "en") -> None:
    """Refuse what the command would refuse, before it starts.

    Raises
    ------
    InputError
        As `FilmRequest.validate`; also for groups that name nothing, and prompts that the model cannot read.
    """
    request.validate()
    if "prompt" in request.kind.fields:
        encode_prompt(run, request.prompt)
    if request.highlight:
        parse_highlight(request.highlight, _labels(run, request.what), language=language)


def _labels(run: Run, what: str) -> list[str]:
    if what == "tokens":
        return run.tokenizer.labels
    return [str(i) for i in range(int(run.info.get("model", {}).get("block_size", 0)))]
