"""Prompts that a run can read, for readers who want to look before they write."""

from __future__ import annotations

from data.errors import InputError
from data.runs import Run
from probes.texts import SHORTEST_OPENING, beginning, default_prompt, repeated_tokens
from trainer.config import described_model

LONGEST_PART = 16
"""Tokens of a text that is shown twice: a map of more is hard to read."""


def example_prompts(run: Run) -> dict[str, str]:
    """Choose prompts by name: the opening of the last sample, another line of the samples, a text twice, and random tokens twice.

    Those that the run does not have, or cannot read, are left out.
    """
    try:
        usual = default_prompt(run)
    except InputError:
        return {}
    tokenizer, context = run.tokenizer, described_model(run).block_size
    found = {"sample": usual}
    if line := _another_line(run, usual):
        found["line"] = beginning(tokenizer, line, context)
    part = beginning(tokenizer, usual, min(context // 2, LONGEST_PART))
    found["twice"] = (part.rsplit(" ", 1)[0] if " " in part.strip() else part).strip() + " "
    found["twice"] = beginning(tokenizer, found["twice"] * 2, context)
    found["random"] = repeated_tokens(run, min(context // 2, LONGEST_PART // 2))
    return {name: text for name, text in found.items() if text.strip() and _is_readable(run, text)}


def _another_line(run: Run, usual: str) -> str:
    """Find the last line of the samples that is long enough to show something and does not begin like the usual prompt."""
    for sample in reversed(run.samples()):
        for line in reversed(str(sample["text"]).split("\n")[:-1]):  # the last line is cut off
            is_long = len(run.tokenizer.encode(line.strip())) >= SHORTEST_OPENING
            if is_long and not line.strip().startswith(usual.strip()[:SHORTEST_OPENING]):
                return line.strip()
    return ""


def _is_readable(run: Run, text: str) -> bool:
    try:
        return len(run.tokenizer.encode(text)) > 0
    except InputError:
        return False
