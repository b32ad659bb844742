"""What the models of several runs do: the attention maps of one prompt, the scores of their heads, and the texts that they write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from dashboards.compute.queries import Head, PackedMaps
from dashboards.compute.result_cache import CachedResult
from dashboards.forms.prompt_form import ask_prompt, read_prompt
from dashboards.page import Page
from dashboards.screens import attention_page
from dashboards.screens.compare.grid import FIELDS, area, grid_of_runs, message_panel, name_of, show_panels
from dashboards.state import run_list
from dashboards.state.url import get_field
from dashboards.views import record_panels, run_panels
from dashboards.views.awaited import follow
from dashboards.views.live_panels import FoundMeasure, find_measure
from dashboards.widgets import cleared_place, show_notes
from data.errors import InputError
from trainer.config import described_model
from viz.player.attention_panels import HeadTimeline
from viz.player.panels import Panel

FoundMaps = CachedResult[PackedMaps] | InputError


def attention_view(pages: Sequence[Page]) -> Callable[[], None]:
    """Ask for a prompt, and return the function that shows what every head of every run attends to in it."""
    able = [page for page in pages if not isinstance(shape_of(page), InputError)]
    if not able:
        raise InputError(str(shape_of(pages[0])))
    reader = able[0]
    prompt = attention_page.read_short_prompt(reader, ask_prompt(reader), *(page.run for page in able[1:]))
    # Symbols that only another run cannot read are left out for it alone, and named.
    prompts = {page.run.name: prompt if page is reader else read_prompt(page, prompt).text for page in able}

    def draw() -> None:
        chosen = _chosen_head(pages, reader)
        with cleared_place() as place:
            maps = [_maps(page, prompts.get(page.run.name), place) for page in pages]
        found = [one for one in maps if isinstance(one, CachedResult)]
        show_notes([note for one in found for note in one.notes], reader.say)
        panels = [
            _maps_panel(page, area(number), one, chosen)
            for number, (page, one) in enumerate(zip(pages, maps, strict=True))
        ]
        fields = ("prompt", "layer", "head")
        title = reader.say("views.attention")
        steps = [one.value.steps for one in found]
        events = show_panels(pages, panels, grid_of_runs(len(pages)), title=title, steps=steps, fields=fields)
        attention_page.choose_head(events.head, (*FIELDS, *fields))

    return draw


def shape_of(page: Page) -> tuple[int, int] | InputError:
    """Return the numbers of layers and of heads of a run's model, or why it has none."""
    try:
        shape = described_model(page.run)
    except InputError as error:
        return error
    return shape.n_layer, shape.n_head


def _has_head(page: Page, head: Head) -> bool:
    shape = shape_of(page)
    return not isinstance(shape, InputError) and head[0] < shape[0] and head[1] < shape[1]


def _chosen_head(pages: Sequence[Page], reader: Page) -> Head | None:
    """Return the head that the address names if any of the runs has it; otherwise it is forgotten."""
    head = get_field("layer"), get_field("head")
    if None not in head and any(_has_head(page, head) for page in pages):
        return head
    return attention_page.chosen_head(reader)


def _maps(page: Page, prompt: str | None, place: st.delta_generator.DeltaGenerator) -> FoundMaps:
    if prompt is None:
        shape = shape_of(page)
        return shape if isinstance(shape, InputError) else InputError("")
    try:
        return attention_page.maps_of(page, prompt, place)
    except InputError as error:
        return error


def _maps_panel(page: Page, where: str, maps: FoundMaps, chosen: Head | None) -> Panel:
    if isinstance(maps, InputError):
        return message_panel(page, where, maps)
    title = name_of(page)
    if chosen and not _has_head(page, chosen):
        title = page.say("compare.no_such_head", run=title, layer=chosen[0], head=chosen[1])
    return run_panels.attention(page, where, maps.value, chosen, title=title, steps=list(maps.value.steps))


def heads_view(pages: Sequence[Page]) -> Callable[[], None]:
    """Ask for a score, and return the function that shows it for every head of every run, on one scale of colours."""
    score = attention_page.ask_score(pages[0])

    def draw() -> None:
        scores = [find_measure(page, "heads", area(place)) for place, page in enumerate(pages)]
        panels = [_timeline(page, area(place), scores[place], score) for place, page in enumerate(pages)]
        # One colour scale, so that equal values have the same colour.
        high = max((panel.high for panel in panels if isinstance(panel, HeadTimeline)), default=1.0)
        panels = [replace(panel, high=high) if isinstance(panel, HeadTimeline) else panel for panel in panels]
        title = attention_page.title_of(pages[0], score)
        steps = [run_list.snapshot_steps(page.run) for page in pages]
        events = show_panels(pages, panels, grid_of_runs(len(pages)), title=title, steps=steps, fields=("score",))
        follow([one.line for one in scores], events)

    return draw


def _timeline(page: Page, where: str, scores: FoundMeasure, score: str) -> Panel:
    if scores.error is not None:
        return message_panel(page, where, scores.error)
    pending = scores.line.pending
    if scores.known is None:
        return replace(message_panel(page, where, ""), pending=pending)
    return replace(run_panels.score_timeline(page, where, scores.known[score], name_of(page)), pending=pending)


def text_view(pages: Sequence[Page]) -> Callable[[], None]:
    """Return the function that shows the texts that every run sampled during training."""

    def draw() -> None:
        panels = [
            replace(record_panels.sample(page, area(place)), title=name_of(page)) for place, page in enumerate(pages)
        ]
        steps = [run_list.snapshot_steps(page.run) for page in pages]
        grid = grid_of_runs(len(pages), "1fr", "minmax(150px, 1fr)")
        show_panels(pages, panels, grid, title=pages[0].say("views.sample"), steps=steps)

    return draw
