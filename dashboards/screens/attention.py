"""Attention: what every head looks at while it reads a prompt, and what each head becomes over training."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
import xarray as xr

from dashboards import gather, views
from dashboards.address import keep, kept
from dashboards.chrome import Page, growing_fragment, guarded, open_page, plain, show_scene, tell
from dashboards.theatre import Bars, Panel
from data.errors import InputError
from probes.texts import default_prompt
from viz.labels import display, spoken

FIELDS = ("prompt", "layer", "head", "score")
SCORES = ("previous_token", "duplicate_token", "induction", "sink", "entropy", "entropy_without_sink", "distance")
MOST_BARS = 24


def show() -> None:
    """Draw the page."""
    page = open_page()
    prompt, score = choose(page)
    growing_fragment(page)(lambda: guarded(lambda: _stage(page, prompt, score), page.say))()


def choose(page: Page) -> tuple[str, str]:
    """Ask in the sidebar for the prompt and the score of the timeline."""
    say = page.say
    with st.sidebar:
        prompt = ask_prompt(page)
        wanted = kept("score")
        score = st.selectbox(
            say("attention.score"),
            SCORES,
            index=SCORES.index(wanted) if wanted in SCORES else 0,
            format_func=lambda name: say(f"attention.{name}"),
            key="score_choice",
        )
        keep("score", score)
    return prompt, score


def ask_prompt(page: Page) -> str:
    """Ask what the model reads; empty is the opening of the run's last sample, which is shown in grey."""
    if "prompt_text" not in st.session_state:
        st.session_state["prompt_text"] = kept("prompt")
    try:
        usual = default_prompt(page.run)
    except InputError:
        usual = ""
    say = page.say
    text = st.text_area(
        say("attention.prompt"), key="prompt_text", placeholder=usual, help=say("attention.prompt_help"), height=90
    )
    keep("prompt", text)
    return text or usual


def _stage(page: Page, prompt: str, score: str) -> None:
    n_snapshots, place = len(page.run.manifest()), st.empty()
    try:
        maps = gather.attention(page.run, prompt, _bar(place, page, "attention.reading", n_snapshots))
        tell(maps.notes, page.say)
        panels: list[Panel] = [views.attention(page, "maps", maps.value, chosen_head(maps.value))]
        beside = [_scores(page, score, _bar(place, page, "attention.scoring", n_snapshots)), _next(page, prompt)]
    finally:
        place.empty()
    panels += [panel for panel in beside if panel is not None]
    columns = {
        3: '"maps scores" 6fr "maps next" 5fr / 11fr 7fr',
        2: f'"maps {panels[-1].area}" 1fr / 11fr 7fr',
        1: '"maps" 1fr / 1fr',
    }[len(panels)]
    events = show_scene(page, "attention", panels, columns, gather.steps_of(maps.value), fields=FIELDS, least_px=560)
    if events.head is not None or st.session_state.get("head_was_chosen"):
        st.session_state["head_was_chosen"] = True
        layer, head = events.head or (None, None)
        if (layer, head) != (kept("layer"), kept("head")):
            keep("layer", layer)
            keep("head", head)
            st.rerun(scope="fragment")


def chosen_head(maps: xr.DataArray) -> tuple[int, int] | None:
    """Return the head that the address names, if the model has it; else forget it."""
    layer, head = kept("layer"), kept("head")
    if layer is None or head is None:
        return None
    if layer in maps["layer"].values and head in maps["head"].values:
        return layer, head
    keep("layer", None)
    keep("head", None)
    st.toast(
        plain(f"layer {layer} head {head}: {maps.sizes['layer']} x {maps.sizes['head']}"), icon=":material/link_off:"
    )
    return None


def _scores(page: Page, score: str, progress: Callable[[int], None]) -> Panel | None:
    """Return the timeline of a score, or None, with the reason told, where it cannot be had."""
    try:
        found = gather.head_scores(page.run, progress)
    except InputError as mistake:
        st.info(plain(str(mistake)), icon=":material/info:")
        return None
    even = page.say("attention.even", value=page.say.number(float(found.value[score].attrs["uniform"]), 2))
    title = f"{page.say(f'attention.{score}')} · {even}"
    return views.score_timeline(page, "scores", found.value[score], title[0].upper() + title[1:])


def _next(page: Page, prompt: str) -> Panel:
    found = gather.next_token(page.run, prompt).value
    # The tokens that lead at any snapshot, the last one's order first, so that bars keep their places.
    order = found.isel(step=-1).values.argsort()[::-1]
    early = found.max("step").values.argsort()[::-1]
    leading = list(dict.fromkeys([*order[: MOST_BARS // 2], *early[:MOST_BARS]]))[:MOST_BARS]
    labels = [str(found["token"].values[i]) for i in leading]
    return Bars(
        "next",
        "next",
        page.say("attention.next"),
        values=found.values[:, leading].astype("float32"),
        labels=[display(label) for label in labels],
        names=[spoken(label) for label in labels],
        color=page.theme.palette[1],
    )


def _bar(place: st.delta_generator.DeltaGenerator, page: Page, key: str, total: int) -> Callable[[int], None]:
    def update(done: int) -> None:
        place.progress(min(1.0, done / max(total, 1)), page.say(key, done=done, total=total))

    return update
