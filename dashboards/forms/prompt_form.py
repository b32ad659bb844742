"""The prompt of a page: asked for in the sidebar, and made into what the model can read; what had to be left out is told."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboards.page import Page, escape_markdown
from dashboards.state.url import LONGEST_TEXT, get_field, set_field, set_initial_value
from data.errors import InputError
from data.runs import Run
from data.tokens.tokenizers import known_part
from probes.texts import beginning, default_prompt
from trainer.config import described_model
from viz.drawing.text import label_name

MOST_NAMED = 6


@dataclass(frozen=True)
class ReadablePrompt:
    """A prompt as the model reads it: ``text`` has ``n_tokens``; the reader gave ``n_given``, and symbols that are ``unknown``."""

    text: str
    n_tokens: int
    n_given: int
    unknown: tuple[str, ...] = ()

    @property
    def is_cut(self) -> bool:
        return self.n_tokens < self.n_given


def ask_prompt(page: Page, help: str = "") -> str:
    """Ask what the model reads; empty is the opening of the run's last sample, which is shown in grey."""
    set_initial_value("prompt_text", get_field("prompt"))
    try:
        usual = default_prompt(page.run)
    except InputError:
        usual = ""
    say = page.say
    text = st.text_area(
        say("attention.prompt"),
        key="prompt_text",
        placeholder=usual,
        help=help or say("attention.prompt_help"),
        height=90,
        max_chars=LONGEST_TEXT,
    )
    set_field("prompt", text)
    return text or usual


def readable_prompt(run: Run, text: str, most: int | None = None) -> ReadablePrompt:
    """Return a prompt without symbols that the run's vocabulary lacks, cut to its first ``most`` tokens (the context's length if None).

    Raises
    ------
    InputError
        If nothing is left of it, or the run has no model that reads.
    """
    context, tokenizer = described_model(run).block_size, run.tokenizer
    text, unknown = known_symbols(run, text)
    n_given = len(tokenizer.encode(text))
    cut = beginning(tokenizer, text, min(context, most or context))
    return ReadablePrompt(cut, len(tokenizer.encode(cut)), n_given, unknown)


def known_symbols(run: Run, text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text without symbols that the run's vocabulary lacks, and those; where nothing is left, the usual prompt stands in."""
    part = known_part(run.tokenizer, text)
    unknown = tuple(symbol for symbol in dict.fromkeys(text) if symbol not in part)
    return part or default_prompt(run), unknown


def show_unknown(page: Page, unknown: tuple[str, ...]) -> None:
    """Name the symbols that were left out of a prompt."""
    if unknown:
        named = " ".join(f"“{label_name(symbol)}”" for symbol in unknown[:MOST_NAMED])
        more = " …" if len(unknown) > MOST_NAMED else ""
        st.caption(escape_markdown(page.say("attention.unknown", symbols=f"{named}{more}")))


def read_prompt(
    page: Page, text: str, most: int | None = None, reason: str = "attention.cut_context"
) -> ReadablePrompt:
    """Return the prompt as it can be read, and say below its field what of it is not.

    ``most`` and errors are those of `readable_prompt`; ``reason`` is the key of the sentence about its length.
    """
    asked, say = readable_prompt(page.run, text, most), page.say
    show_unknown(page, asked.unknown)
    if asked.is_cut:
        st.caption(escape_markdown(say(reason, shown=say.number(asked.n_tokens), given=say.number(asked.n_given))))
    return asked


def visible_end(run: Run, text: str) -> tuple[str, int, int]:
    """Return the end of a text that the model sees when it goes on from it, of how many tokens, and how many the text has."""
    context, tokenizer = described_model(run).block_size, run.tokenizer
    ids = tokenizer.encode(text)
    if len(ids) <= context:
        return text, len(ids), len(ids)
    end = tokenizer.decode(ids[-context:])
    while len(tokenizer.encode(end)) > context:  # a sub-word cut in two may become more of them
        end = end[1:]
    return end, context, len(ids)
