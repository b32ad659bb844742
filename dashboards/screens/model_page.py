"""The model at work: a prompt goes through the model, from its tokens to the probabilities of the next, at every snapshot."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from dashboards.compute import model_queries, queries
from dashboards.forms.prompt_form import ask_prompt, read_prompt, replaced_prompt_note
from dashboards.page import Page, open_page, show_live, show_scene
from dashboards.screens.attention_page import choose_head, chosen_head
from dashboards.state.url import get_field, is_new_event, set_field
from dashboards.views.awaited import find_or_keep, follow
from dashboards.widgets import escape_markdown, guarded, show_notes
from data.runs import Run
from probes.tables.embeddings import token_labels
from trainer.config import described_model
from viz.player.model_scene import flow_panel

FIELDS = ("prompt", "position", "layer", "head")


def show() -> None:
    """Draw the page."""
    page = open_page()
    guarded(lambda: _draw(page), page.say)


def _draw(page: Page) -> None:
    with st.sidebar:
        text, most = ask_prompt(page), model_queries.most_words(page.run)
        context = described_model(page.run).block_size
        prompt = read_prompt(page, text, most, "attention.cut_context" if context <= most else "model.cut").text
        st.caption(page.say("model.how"))
    show_live(page, lambda: _draw_flow(page, prompt))


def _draw_flow(page: Page, prompt: str) -> None:
    n_tokens = len(page.run.tokenizer.encode(prompt))
    position, chosen = chosen_position(page, n_tokens), chosen_head(page)
    job = partial(model_queries.trace, page.computation, page.run, prompt, position)
    kept = find_or_keep(page, "flow", (prompt, position), job)
    show_notes(kept.value.notes, page.say)
    trace, lens = kept.value.value
    panel = flow_panel(
        trace,
        lens,
        list(token_labels(page.run, described_model(page.run).vocab_size)),
        ids=[int(i) for i in page.run.tokenizer.encode(trace.attrs["prompt"])],
        theme=page.theme,
        words=page.say.section("model_flow"),
        language=page.say.language,
        links=links(page.run),
        chosen=chosen,
    )
    note = replaced_prompt_note(page, "attention.none_known_maps", str(trace.attrs["prompt"]))
    panel = replace(panel, title=note, pending=kept.line.pending)
    events = show_scene(page, "model", [panel], '"flow" 1fr / 1fr', queries.steps_of(trace), fields=FIELDS)
    choose_head(events.head, FIELDS)
    if events.position is not None and is_new_event("position", events.position):
        set_field("position", None if events.position == n_tokens - 1 else events.position)
        st.rerun()
    follow([kept.line], events)


def chosen_position(page: Page, n_tokens: int) -> int | None:
    """Return the position that the address names, None for the last; if the prompt has no such position, say so and forget it."""
    position: int | None = get_field("position")
    if position is None or position < n_tokens - 1:
        return position
    set_field("position", None)
    if position >= n_tokens:
        message = page.say(
            "model.no_such_position", position=page.say.number(position), last=page.say.number(n_tokens - 1)
        )
        st.toast(escape_markdown(message), icon=":material/link_off:")
    return None


def links(run: Run) -> dict[str, str]:
    """Build the addresses of the pages that show tokens and heads; they keep run, language and prompt."""
    kept = {"lang": get_field("lang"), "run": run.name, "prompt": get_field("prompt")}
    query = urlencode({name: text for name, text in kept.items() if text})
    return {name: f"{name}?{query}" for name in ("embeddings", "attention")}
