"""Attention: what every head attends to in a prompt, and how the scores of each head change over training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.compute.computation import Computation
from dashboards.compute.live_runs import digests_of
from dashboards.compute.queries import Head, PackedMaps
from dashboards.compute.result_cache import CachedResult
from dashboards.forms.prompt_form import ask_prompt, read_prompt, readable_prompt
from dashboards.page import Page, open_page, show_live, show_scene, snapshot_progress
from dashboards.player import Events
from dashboards.state.url import get_field, is_new_event, set_field, set_initial_value, write_address
from dashboards.views import run_panels
from dashboards.views.awaited import Line, find_or_keep, follow
from dashboards.views.live_panels import MeasuredPanel, measured_panel
from dashboards.widgets import escape_markdown, guarded, show_notes
from data.progress import Progress
from data.runs import Run
from trainer.config import described_model
from viz.player.attention_panels import HeadRanking, HeadTimeline

FIELDS = ("prompt", "layer", "head", "picture", "query", "score")
SCORES = ("previous_token", "duplicate_token", "induction", "sink", "entropy", "entropy_without_sink", "distance")


def show() -> None:
    """Draw the page."""
    page = open_page()
    guarded(lambda: _draw(page), page.say)


def _draw(page: Page) -> None:
    with st.sidebar:
        text = ask_prompt(page)
        prompt = read_short_prompt(page, text)
        # More tokens fit when only one head is shown.
        long = readable_prompt(page.run, text, queries.most_tokens(page.run, n_heads=1)).text
        score = ask_score(page)
    show_live(page, lambda: _draw_panels(page, (prompt, long), score))


def read_short_prompt(page: Page, text: str, *others: Run) -> str:
    """Read as much of a prompt as all runs can read, and as fits when all heads are shown at all snapshots."""
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


def _draw_panels(page: Page, prompts: tuple[str, str], score: str) -> None:
    chosen = chosen_head(page)
    shown, line = _read(page, prompts, chosen)
    show_notes(shown.maps.notes, page.say)
    maps = run_panels.attention(page, "maps", shown.maps.value, chosen, large=shown.large)
    scores, ranking = scores_panel(page, score, chosen), ranking_panel(page, score, chosen)
    panels = [replace(maps, pending=line.pending), scores.panel, replace(ranking.panel, pending=None)]
    panels.append(run_panels.next_token(page, "next", shown.leading))
    columns = '"maps scores scores" 6fr "maps ranking next" 5fr / 10fr 5fr 4fr'
    events = show_scene(page, "attention", panels, columns, shown.maps.value.steps, fields=FIELDS, least_px=560)
    choose_picture(events, FIELDS)
    if choose_head(events.head, FIELDS) and prompts[0] != prompts[1]:
        st.rerun()  # the single head is shown with the long prompt
    follow([line, scores.line], events)


@dataclass(frozen=True)
class _ReadPrompt:
    """What the heads attend to in a prompt, and the tokens that may follow; ``large`` is the map of the chosen ``head``."""

    head: Head | None
    maps: CachedResult[PackedMaps]
    large: PackedMaps | None
    leading: xr.Dataset


def _read(page: Page, prompts: tuple[str, str], chosen: Head | None) -> tuple[_ReadPrompt, Line]:
    """Compute or keep the attention of every snapshot to the prompts, see `find_or_keep`; a kept map is of the head chosen then."""
    kept = find_or_keep(
        page, "maps", (prompts, chosen), partial(_read_prompts, page.computation, page.run, prompts, chosen)
    )
    return kept.value if kept.value.head == chosen else replace(kept.value, large=None), kept.line


def _read_prompts(
    computation: Computation, run: Run, prompts: tuple[str, str], chosen: Head | None, progress: Progress
) -> _ReadPrompt:
    prompt, long = prompts
    maps = queries.attention(computation, run, prompt, None, progress)
    large = queries.attention(computation, run, long, chosen, progress).value if chosen and long != prompt else None
    return _ReadPrompt(chosen, maps, large, queries.leading_probabilities(computation, run, long))


def maps_of(
    page: Page, prompt: str, place: st.delta_generator.DeltaGenerator, head: Head | None = None
) -> CachedResult[PackedMaps]:
    """Measure the attention maps of a prompt, with progress shown; the job goes on if the reader leaves the page."""
    return page.computation.background.wait_for(
        ("attention", page.run.path, prompt, head),
        partial(queries.attention, page.computation, page.run, prompt, head),
        snapshot_progress(page, place, "attention.reading"),
        state=digests_of(page.run),
    )


def scores_panel(
    page: Page, score: str, chosen: Head | None, *, area: str = "scores", title: str = ""
) -> MeasuredPanel:
    """Build the timeline of a score of the heads."""
    title = title or title_of(page, score)

    def timeline(scores: xr.Dataset) -> HeadTimeline:
        return run_panels.score_timeline(page, area, scores[score], title, chosen)

    return measured_panel(page, "heads", timeline, area=area, title=title, empty="attention.scoring_yet")


def ranking_panel(page: Page, score: str, chosen: Head | None) -> MeasuredPanel:
    """Build the list of heads in the order of a score."""
    title = page.say("attention.ranking")

    def ranking(scores: xr.Dataset) -> HeadRanking:
        return run_panels.head_ranking(page, "ranking", scores[score], title, chosen)

    return measured_panel(page, "heads", ranking, area="ranking", title=title, empty="attention.ranking_yet")


def title_of(page: Page, score: str) -> str:
    """Write the name of a score as a title."""
    name = page.say(f"attention.{score}")
    return name[0].upper() + name[1:]


def choose_head(head: list[int] | None, fields: tuple[str, ...]) -> bool:
    """Write the head that was clicked into the address (an empty list is all heads), and return whether it has changed."""
    if head is None or not is_new_event("head", head):
        return False
    layer, number = head or (None, None)
    set_field("layer", layer)
    set_field("head", number)
    write_address(["step", "scale", *fields])
    return True


def choose_picture(events: Events, fields: tuple[str, ...]) -> None:
    """Write into the address how the reader has one head drawn, and the word whose lines alone are shown."""
    is_new = False
    if events.picture is not None and is_new_event("picture", events.picture):
        set_field("picture", events.picture)
        is_new = True
    if events.query is not None and is_new_event("query", events.query):
        set_field("query", events.query if events.query >= 0 else None)
        is_new = True
    if is_new:
        write_address(["step", "scale", *fields])


def chosen_head(page: Page) -> Head | None:
    """Return the head that the address names; if the model has no such head, say so and forget it."""
    layer, head, shape = get_field("layer"), get_field("head"), described_model(page.run)
    if layer is None or head is None:
        return None
    if layer < shape.n_layer and head < shape.n_head:
        return layer, head
    set_field("layer", None)
    set_field("head", None)
    layers, heads = page.say.count("overview.n_layer", shape.n_layer), page.say.count("overview.n_head", shape.n_head)
    message = page.say("attention.no_such_head", layer=layer, head=head, layers=layers, heads=heads)
    st.toast(escape_markdown(message), icon=":material/link_off:")
    return None
