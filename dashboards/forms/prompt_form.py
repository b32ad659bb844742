"""The form for a prompt, and the part of it that the model can read; the page names what was left out."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboards.forms.example_prompts import example_prompts
from dashboards.page import Page
from dashboards.state.url import LONGEST_TEXT, get_field, set_field, set_initial_value
from dashboards.widgets import escape_markdown
from data.errors import InputError
from data.printing import visible
from data.runs import Run
from data.tokens.tokenizers import known_part
from probes.texts import beginning, default_prompt
from trainer.config import described_model
from viz.drawing.text import label_name

MOST_NAMED = 6
LONGEST_QUOTED = 24


@dataclass(frozen=True)
class ReadablePrompt:
    """The part of a prompt that the model reads, and the symbols that the vocabulary lacks; ``n_given`` are the tokens without these."""

    text: str
    n_tokens: int
    n_given: int
    unknown: tuple[str, ...]


def ask_prompt(page: Page, help: str = "") -> str:
    """Ask for a prompt; if it is left empty, the opening of the run's last sample, shown in grey, is the prompt."""
    set_initial_value("prompt_text", get_field("prompt"))
    usual, say = usual_prompt(page.run), page.say
    text = st.text_area(
        page.label("prompt"),
        key="prompt_text",
        placeholder=usual,
        help=help or say("attention.prompt_help"),
        height=90,
        max_chars=LONGEST_TEXT,
    )
    set_field("prompt", text)
    offer_examples(page)
    return text or usual


def offer_examples(page: Page) -> None:
    """Offer prompts that this run can read; a click fills the field with one of them."""
    examples, key = example_prompts(page.run), "example_prompt"

    def fill() -> None:
        if chosen := st.session_state[key]:
            st.session_state["prompt_text"] = examples[chosen]
        st.session_state[key] = None  # they are buttons: the same one can be pressed again

    if examples:
        say = page.say
        names = say.names("attention", *(f"example_{name}" for name in examples))
        label, help = say("attention.examples"), say("attention.examples_help")
        st.pills(label, list(examples), format_func=lambda n: names[f"example_{n}"], help=help, key=key, on_change=fill)


def usual_prompt(run: Run) -> str:
    """Return the prompt that an empty field stands for; empty where the run has none."""
    try:
        return default_prompt(run)
    except InputError:
        return ""


def readable_prompt(run: Run, text: str, most: int | None = None) -> ReadablePrompt:
    """Remove symbols that the run's vocabulary lacks from a prompt, and cut it to ``most`` tokens (the context length if None)."""
    context, tokenizer = described_model(run).block_size, run.tokenizer
    text, unknown = known_symbols(run, text)
    n_given = len(tokenizer.encode(text))
    cut = beginning(tokenizer, text, min(context, most or context))
    return ReadablePrompt(cut, len(tokenizer.encode(cut)), n_given, unknown)


def known_symbols(run: Run, text: str) -> tuple[str, tuple[str, ...]]:
    """Remove symbols that the run's vocabulary lacks from a text, and list them; if nothing is left, the default prompt takes its place."""
    part = known_part(run.tokenizer, text)
    unknown = tuple(symbol for symbol in dict.fromkeys(text) if symbol not in part)
    return part or default_prompt(run), unknown


def replaced_prompt_note(page: Page, key: str, shown: str) -> str:
    """Write, by the text ``key``, what is ``shown`` where the vocabulary has nothing of the given prompt; otherwise empty."""
    given = get_field("prompt")
    if not given or known_part(page.run.tokenizer, given):
        return ""
    return page.say(key, given=_shortened(given), shown=_shortened(shown))


def _shortened(text: str) -> str:
    text = visible(text)
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"


def show_unknown(page: Page, unknown: tuple[str, ...]) -> None:
    """Name the symbols that were left out of a prompt."""
    if unknown:
        named = " ".join(f"“{label_name(symbol, page.say.language)}”" for symbol in unknown[:MOST_NAMED])
        more = " …" if len(unknown) > MOST_NAMED else ""
        st.caption(escape_markdown(page.say("attention.unknown", symbols=f"{named}{more}")))


def read_prompt(
    page: Page, text: str, most: int | None = None, reason: str = "attention.cut_context"
) -> ReadablePrompt:
    """Read as much of a prompt as the model can, and show below its field what was left out, and for which ``reason``, a key of a text."""
    prompt, say = readable_prompt(page.run, text, most), page.say
    show_unknown(page, prompt.unknown)
    if prompt.n_tokens < prompt.n_given:
        st.caption(escape_markdown(say(reason, shown=say.number(prompt.n_tokens), given=say.number(prompt.n_given))))
    return prompt


def visible_end(run: Run, text: str) -> tuple[str, int, int]:
    """Return the end of a text that the model sees when it continues the text, its number of tokens, and that of the whole text."""
    context, tokenizer = described_model(run).block_size, run.tokenizer
    ids = tokenizer.encode(text)
    if len(ids) <= context:
        return text, len(ids), len(ids)
    end = tokenizer.decode(ids[-context:])
    while len(tokenizer.encode(end)) > context:  # a sub-word that was cut may become several
        end = end[1:]
    return end, context, len(ids)
