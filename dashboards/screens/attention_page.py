"""Attention: what every head looks at while it reads a prompt, and what each head becomes over training."""

from __future__ import annotations

from functools import partial

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.compute.background_jobs import BackgroundJob, await_, look
from dashboards.compute.live_runs import digests_of
from dashboards.compute.result_cache import Result
from dashboards.forms.prompt_form import ask_prompt, read_prompt, readable_prompt
from dashboards.page import (
    Page,
    escape_markdown,
    guarded,
    live_fragment,
    open_page,
    show_notes,
    show_scene,
    without_advice,
)
from dashboards.state.url import get_field, is_new_event, set_field, set_initial_value, write_address
from dashboards.views import run_panels
from data.errors import InputError
from data.runs import Run
from trainer.config import described_model
from viz.player import Panel, Samples

FIELDS = ("prompt", "layer", "head", "score")
SCORES = ("previous_token", "duplicate_token", "induction", "sink", "entropy", "entropy_without_sink", "distance")
LOOK_EVERY_S = 0.7


def show() -> None:
    """Draw the page."""
    page = open_page()
    guarded(lambda: _draw(page), page.say)


def _draw(page: Page) -> None:
    with st.sidebar:
        text = ask_prompt(page)
        prompt = limited(page, text)
        # One head is shown of more tokens than all of them.
        long = readable_prompt(page.run, text, queries.most_tokens(page.run, n_heads=1)).text
        score = ask_score(page)
        await_scores(page)
    live_fragment(page)(lambda: guarded(lambda: _stage(page, (prompt, long), score), page.say))()


def limited(page: Page, text: str, *others: Run) -> str:
    """Return as much of a prompt as can be read, and shown of all heads at all snapshots of all runs; what is left out is told."""
    runs = (page.run, *others)
    most = min(queries.most_tokens(run) for run in runs)
    context = min(described_model(run).block_size for run in runs)
    reason = "attention.cut_context" if context <= most else "attention.cut_size"
    return read_prompt(page, text, min(most, context), reason).text


def ask_score(page: Page) -> str:
    """Ask which score of the heads the timeline shows."""
    wanted, say = get_field("score"), page.say
    set_initial_value("score_choice", wanted if wanted in SCORES else SCORES[0])
    score = st.selectbox(
        say("attention.score"), SCORES, format_func=lambda name: say(f"attention.{name}"), key="score_choice"
    )
    set_field("score", score)
    return str(score)


def await_scores(page: Page) -> None:
    """Show how far the scoring of the heads is, and draw the page anew when it is done."""
    found = _look_at_scores(page.run)
    if not isinstance(found, BackgroundJob):
        return

    @st.fragment(run_every=LOOK_EVERY_S)
    def progress() -> None:
        if found.is_over:
            st.rerun()
        total = max(1, len(page.run.manifest()))
        st.progress(min(1.0, found.done / total), page.say("attention.scoring", done=found.done, total=total))

    progress()


def _look_at_scores(run: Run) -> Result[xr.Dataset] | BackgroundJob[Result[xr.Dataset]] | InputError:
    try:
        return look(("scores", run.path), lambda progress: queries.head_scores(run, progress), state=digests_of(run))
    except InputError as mistake:
        return mistake


def _stage(page: Page, prompts: tuple[str, str], score: str) -> None:
    (prompt, long), chosen, place = prompts, chosen_head(page), st.empty()
    try:
        maps = maps_of(page, prompt, place)
        large = maps_of(page, long, place, chosen).value if chosen and long != prompt else None
        bets = queries.leading_bets(page.run, long)
    finally:
        place.empty()
    show_notes(maps.notes, page.say)
    panels = [
        run_panels.attention(page, "maps", maps.value, chosen, large=large),
        scores_panel(page, score, chosen),
        run_panels.next_token(page, "next", bets.value),
    ]
    columns = '"maps scores" 6fr "maps next" 5fr / 11fr 7fr'
    events = show_scene(page, "attention", panels, columns, maps.value.steps, fields=FIELDS, least_px=560)
    if hear_head(events.head, FIELDS) and long != prompt:
        st.rerun()  # for the rest of the prompt


def maps_of(
    page: Page, prompt: str, place: st.delta_generator.DeltaGenerator, head: queries.Head | None = None
) -> Result[queries.Cells]:
    """Return the maps of a prompt, with progress shown; what is begun goes on though the reader turns to something else."""
    run = page.run
    key = ("attention", run.path, prompt, head)
    total = max(1, len(run.manifest()))

    def update(done: int) -> None:
        place.progress(min(1.0, done / total), page.say("attention.reading", done=done, total=total))

    make = partial(queries.attention, run, prompt, head)
    return await_(key, make, update, state=digests_of(run))


def scores_panel(
    page: Page,
    score: str,
    chosen: tuple[int, int] | None,
    *,
    id: str = "scores",
    title: str = "",
) -> Panel:
    """Return the timeline of a score; in its place, while there is none, why."""
    found = _look_at_scores(page.run)
    title = title or title_of(page, score)
    if isinstance(found, InputError):
        return Samples(id, id, title, texts=(), empty=without_advice(found))
    known = queries.scores_so_far(page.run) if isinstance(found, BackgroundJob) else found
    if known is None:
        return Samples(id, id, title, texts=(), empty=page.say("attention.scoring_yet"))
    return run_panels.score_timeline(page, id, known.value[score], title, chosen, id=id)


def title_of(page: Page, score: str) -> str:
    """Return the name of a score as a title."""
    name = page.say(f"attention.{score}")
    return name[0].upper() + name[1:]


def hear_head(head: list[int] | None, fields: tuple[str, ...]) -> bool:
    """Write into the address which head was clicked last, an empty choice is all of them; say whether it is another."""
    if head is None or not is_new_event("head", head):
        return False
    layer, number = head or (None, None)
    set_field("layer", layer)
    set_field("head", number)
    write_address(["step", "scale", *fields])
    return True


def chosen_head(page: Page) -> tuple[int, int] | None:
    """Return the head that the address names, if the model has it; else say so and forget it."""
    layer, head, shape = get_field("layer"), get_field("head"), described_model(page.run)
    if layer is None or head is None:
        return None
    if layer < shape.n_layer and head < shape.n_head:
        return layer, head
    set_field("layer", None)
    set_field("head", None)
    said = page.say("attention.no_such_head", layer=layer, head=head, layers=shape.n_layer, heads=shape.n_head)
    st.toast(escape_markdown(said), icon=":material/link_off:")
    return None
