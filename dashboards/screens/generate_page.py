"""Generate: several snapshots continue a prompt side by side, below the probabilities from which they draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from dashboards.compute import queries, record_queries
from dashboards.compute.generation_stream import GenerationStream, GenerationTask, advance_streams, open_streams
from dashboards.forms.prompt_form import ask_prompt, known_symbols, show_unknown, visible_end
from dashboards.page import Page, open_page, show_live, show_scene
from dashboards.state.url import MOST_BESIDE, get_field, set_field, set_initial_value, write_address
from dashboards.views import run_panels
from dashboards.widgets import escape_markdown, guarded, slide_number
from data.printing import visible
from trainer.config import described_model
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest
from viz.explanations import help_text

_MORE = {"repetition": 1.0, "ngram": 0, "typical_p": 1.0}
"""The options in the expander, by field, and the values at which they have no effect."""
EXPLAINED = {
    "temperature": "temperature",
    "top_k": "top-k",
    "top_p": "top-p",
    "typical_p": "typical-p",
    "repetition": "repetition",
}
"""The options whose help is an explanation, by field, with its key."""
FIELDS = ("prompt", "temperature", "top_k", "top_p", *_MORE, "tokens", "seed", "stop", "beside")
IN_A_ROW = 4
UPDATE_EVERY_S = 0.08
"""Often enough for the text to appear continuously."""

STYLE = """<style>
.written {{ background: {panel}; color: {text}; border-radius: 10px; border-left: 4px solid {panel};
  padding: 10px 14px; min-height: 170px; max-height: max(230px, calc((100vh - 424px) / {rows})); overflow: auto; }}
.written.now {{ border-left-color: {accent}; }}
.written h4 {{ margin: 0; padding: 0; font-size: 15px; font-weight: 600; color: {text}; }}
.written h4 span, .written .end {{ font-weight: 400; font-size: 14px; color: {muted}; }}
.written pre {{ margin: 6px 0 0; padding: 0; background: none; color: {text}; font-family: "Source Code Pro", ui-monospace, monospace;
  font-size: 14px; line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; }}
.written pre b {{ font-weight: 400; color: {muted}; }}
.written pre i {{ font-style: normal; color: {accent}; }}
</style>"""


@dataclass(frozen=True)
class GenerationForm:
    """The choices in the sidebar."""

    prompt: str
    decoding: Decoding
    request: GenerationRequest
    beside: tuple[int, ...]


def show() -> None:
    """Draw the page."""
    page = open_page()
    guarded(lambda: _draw(page), page.say)


def _draw(page: Page) -> None:
    described_model(page.run)  # an error if the run has no model
    snapshots = page.run.snapshots()
    if not snapshots:
        st.info(page.say("page.no_snapshots"))
        return
    with st.sidebar:
        form = _ask(page, [snapshot.step for snapshot in snapshots])
    show_live(page, lambda: _draw_fragment(page, form))


def _ask(page: Page, steps: Sequence[int]) -> GenerationForm:
    prompt, unknown = known_symbols(page.run, ask_prompt(page, page.say("generate.prompt_help")))
    show_unknown(page, unknown)
    _, n_seen, n_given = visible_end(page.run, prompt)
    if n_seen < n_given:
        cropped = page.say("generate.cropped", seen=page.say.number(n_seen), given=page.say.number(n_given))
        st.caption(escape_markdown(cropped))
    temperature = _number(page, "temperature", partial(_slide, page), 0.0, 2.0, step=0.05)
    left, right = st.columns(2)
    top_k = _number(page, "top_k", left.number_input, 0, described_model(page.run).vocab_size)
    top_p = _number(page, "top_p", right.number_input, 0.01, 1.0, step=0.05)
    with st.expander(page.say("generate.more"), expanded=any(get_field(name) != off for name, off in _MORE.items())):
        repetition = _number(page, "repetition", st.number_input, 0.1, 10.0, step=0.05)
        ngram = _number(page, "ngram", st.number_input, 0, 100)
        typical_p = _number(page, "typical_p", st.number_input, 0.01, 1.0, step=0.05)
    left, right = st.columns(2)
    n_tokens = _number(page, "tokens", left.number_input, 1, 2000, step=20)
    with right:
        seed = _ask_seed(page)
    set_initial_value("stop_text", get_field("stop"))
    stop = st.text_input(page.say("generate.stop"), help=page.say("generate.stop_help"), max_chars=80, key="stop_text")
    set_field("stop", stop)
    beside = _ask_beside(page, steps)
    stops = (stop.replace("\\n", "\n"),) if stop else ()
    decoding = Decoding(
        temperature, top_k, top_p, typical_p=typical_p, repetition_penalty=repetition, no_repeat_ngram_size=ngram
    )
    return GenerationForm(prompt, decoding, GenerationRequest(n_tokens, seed=seed, stop=stops), beside)


def _number(page: Page, name: str, ask: Callable[..., Any], low: float, high: float, **more: Any) -> Any:
    """Ask for a number; what is chosen goes into the address under its name."""
    say = page.say
    set_initial_value(f"{name}_choice", min(max(get_field(name), low), high))
    help = help_text(EXPLAINED[name], language=say.language) if name in EXPLAINED else say(f"generate.{name}_help")
    value = ask(say(f"generate.{name}"), low, high, help=help, key=f"{name}_choice", **more)
    set_field(name, value)
    return value


def _slide(page: Page, label: str, low: float, high: float, *, step: float, key: str, help: str) -> float:
    return slide_number(label, (low, high), step, key, page.say, help=help)


def _ask_seed(page: Page) -> int:
    """Ask for the seed, with a button for the next one."""
    set_initial_value("seed_choice", get_field("seed"))

    def another() -> None:
        st.session_state["seed_choice"] = (st.session_state["seed_choice"] + 1) % 2**31

    help = page.say("generate.seed_help")
    seed = int(st.number_input(page.label("seed"), 0, 2**31 - 1, key="seed_choice", help=help))
    set_field("seed", seed)
    st.button(page.say("generate.another"), icon=":material/casino:", on_click=another, width="stretch", key="another")
    return seed


def _ask_beside(page: Page, steps: Sequence[int]) -> tuple[int, ...]:
    """Ask which snapshots to show beside the one of the slider; the first, the middle and the last if none is chosen."""
    wanted, usual = get_field("beside"), tuple(dict.fromkeys((steps[0], steps[len(steps) // 2], steps[-1])))
    there = tuple(step for step in wanted if step in steps)
    if missing := [step for step in wanted if step not in steps]:
        named = ", ".join(page.say.number(step) for step in missing)
        st.toast(escape_markdown(page.say("generate.no_such_steps", steps=named)), icon=":material/link_off:")
    set_initial_value(f"beside_choice_{page.run.name}", there or usual)
    chosen = st.multiselect(
        page.say("generate.beside"),
        steps,
        format_func=partial(page.say.step, page.run, in_words=False),
        max_selections=MOST_BESIDE,
        help=page.say("generate.beside_help"),
        key=f"beside_choice_{page.run.name}",
    )
    found = tuple(sorted(chosen))
    set_field("beside", None if found == usual else found)
    return found


def _draw_fragment(page: Page, form: GenerationForm) -> None:
    tail, _, _ = visible_end(page.run, form.prompt)
    leading = queries.leading_probabilities(page.computation, page.run, tail)
    drawn = queries.leading_probabilities(page.computation, page.run, tail, form.decoding)
    high = max(float(one["probability"].max()) for one in (leading, drawn))  # one scale for both
    panels = [
        run_panels.next_token(page, "next", leading, high=high),
        replace(
            run_panels.next_token(page, "drawn", drawn, _drawn_title(page, form.decoding), high=high),
            about=("drawn", "temperature", "top-k", "top-p"),
        ),
    ]
    steps = queries.steps_of(leading)
    events = show_scene(
        page, "generate", panels, '"next drawn" 1fr / 1fr 1fr', steps, fields=FIELDS, least_px=236, most_px=236
    )
    now = events.step if events.step in steps else get_field("step")
    _texts(page, form, now if now in steps else steps[-1])
    write_address(["step", "scale", *FIELDS])


def _drawn_title(page: Page, decoding: Decoding) -> str:
    say = page.say
    parts = [say("views.temperature", value=say.number(decoding.temperature, 2))]
    parts += [f"top-k {say.number(decoding.top_k)}"] * (decoding.top_k > 0)
    parts += [f"top-p {say.number(decoding.top_p, 2)}"] * (decoding.top_p < 1)
    parts += [f"typical-p {say.number(decoding.typical_p, 2)}"] * (decoding.typical_p < 1)
    if decoding.repetition_penalty != 1:
        parts.append(f"{say('generate.repetition')} {say.number(decoding.repetition_penalty, 2)}")
    parts += [f"n-gram {say.number(decoding.no_repeat_ngram_size)}"] * (decoding.no_repeat_ngram_size > 0)
    return say("generate.drawn", how=", ".join(parts))


def _texts(page: Page, form: GenerationForm, now: int) -> None:
    """Generate the texts of the chosen snapshots side by side, and show them as they grow."""
    snapshots = {snapshot.step: snapshot for snapshot in page.run.snapshots()}
    shown = [snapshots[step] for step in sorted({*form.beside, now}) if step in snapshots]
    theme, n_rows = page.theme, -(-len(shown) // IN_A_ROW)
    colors = {"panel": theme.panel, "text": theme.text, "muted": theme.muted, "accent": theme.palette[0]}
    st.html(STYLE.format(rows=n_rows, **colors))
    places = _places(len(shown))
    losses = {record["step"]: record.get("val_loss") for record in record_queries.metrics(page.computation, page.run)}
    tasks = [
        GenerationTask(page.run, snapshot.step, snapshot.sha256, form.prompt, form.decoding, form.request)
        for snapshot in shown
    ]
    streams = open_streams(st.session_state.setdefault("streams", {}), tasks, page.computation)
    for place, stream in zip(places, streams, strict=True):
        place.html(_card(page, stream, losses, now))
    for stream in advance_streams(streams, UPDATE_EVERY_S):
        places[streams.index(stream)].html(_card(page, stream, losses, now))


def _places(n: int) -> list[Any]:
    """Lay out the places of ``n`` texts: up to `IN_A_ROW` in a row, in rows of about the same length."""
    n_rows = -(-n // IN_A_ROW)
    in_a_row = -(-n // n_rows)
    columns = [column for _ in range(n_rows) for column in st.columns(in_a_row, gap="small")]
    return [column.empty() for column in columns[:n]]


def _card(page: Page, stream: GenerationStream, losses: dict[int, float | None], now: int) -> str:
    """Write a text with its header and footer as HTML; everything that comes from outside is escaped."""
    say, task = page.say, stream.task
    loss = losses.get(task.step)
    measured = "" if loss is None else f" · {say('slider.val_loss')} {say.number(loss, 2)}"
    cursor = "" if stream.is_finished else "<i>▍</i>"
    end = say.error(stream.error) if stream.error else say("generate.stopped") if stream.end == "stop" else ""
    return (
        f'<div class="written{" now" if task.step == now else ""}" data-step="{task.step}" data-over="{str(stream.is_finished).lower()}">'
        f"<h4>{escape(say.step(task.run, task.step))}<span>{escape(measured)}</span></h4>"
        f"<pre><b>{escape(visible(task.prompt))}</b>{escape(visible(stream.text))}{cursor}</pre>"
        f'<div class="end">{escape(end)}</div></div>'
    )
