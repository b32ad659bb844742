"""The prompt of a page: asked for in the sidebar, and made into what the model can read; what had to be left out is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from dashboards.address import LONGEST_TEXT, keep, kept
from dashboards.chrome import Page, plain
from data.errors import InputError
from data.runs import Run
from data.tokenizers import Tokenizer, tokenizer_from_json
from probes.texts import default_prompt
from trainer.config import described_model
from viz.labels import spoken

MOST_NAMED = 6


@dataclass(frozen=True)
class Asked:
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
    if "prompt_text" not in st.session_state:
        st.session_state["prompt_text"] = kept("prompt")
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
    keep("prompt", text)
    return text or usual


def readable(run: Run, text: str, most: int | None = None) -> Asked:
    """Return a prompt without symbols that the run's vocabulary lacks, cut to its first ``most`` tokens (the context's length if None).

    Raises
    ------
    InputError
        If nothing is left of it, or the run has no model that reads.
    """
    context = described_model(run).block_size
    tokenizer = _tokenizer(run)
    try:
        n_given, unknown = len(tokenizer.encode(text)), tuple[str, ...]()
    except InputError:
        unknown = tuple(c for c in dict.fromkeys(text) if not _is_known(tokenizer, c))
        text = "".join(c for c in text if c not in unknown)
        n_given = len(tokenizer.encode(text))
    if not n_given:  # nothing that could be read: the usual prompt stands in
        text = default_prompt(run)
        n_given = len(tokenizer.encode(text))
    cut = _cut(tokenizer, text, min(context, most or context))
    return Asked(cut, len(tokenizer.encode(cut)), n_given, unknown)


def read_prompt(page: Page, text: str, most: int | None = None, reason: str = "attention.cut_context") -> Asked:
    """Return the prompt as it can be read, and say below its field what of it is not.

    ``most`` and errors are those of `readable`; ``reason`` is the key of the sentence about its length.
    """
    asked, say = readable(page.run, text, most), page.say
    if asked.unknown:
        named = " ".join(f"“{spoken(symbol)}”" for symbol in asked.unknown[:MOST_NAMED])
        more = " …" if len(asked.unknown) > MOST_NAMED else ""
        st.caption(plain(say("attention.unknown", symbols=f"{named}{more}")))
    if asked.is_cut:
        st.caption(plain(say(reason, shown=say.number(asked.n_tokens), given=say.number(asked.n_given))))
    return asked


def _cut(tokenizer: Tokenizer, text: str, most: int) -> str:
    """Return the longest beginning of a text that has at most so many tokens; a sub-word cut in two may become more of them."""
    ids = tokenizer.encode(text)
    if len(ids) <= most:
        return text
    kept = text[: len(tokenizer.decode(ids[:most]))]
    while kept and len(tokenizer.encode(kept)) > most:
        kept = kept[:-1]
    return kept


def _is_known(tokenizer: Tokenizer, symbol: str) -> bool:
    try:
        tokenizer.encode(symbol)
    except InputError:
        return False
    return True


def _tokenizer(run: Run) -> Tokenizer:
    return _made(json.dumps(run.info["tokenizer"]))


@lru_cache(maxsize=4)
def _made(description: str) -> Tokenizer:
    return tokenizer_from_json(json.loads(description))
