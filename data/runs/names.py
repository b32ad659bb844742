"""How a run's model and the steps of its snapshots are named in text.

A finished model that was imported, and word vectors, have weights of a step that nobody recorded. Their snapshot is kept as step 0, which
elsewhere means untrained; in text and pictures it is named by what is known of it.
"""

from __future__ import annotations

import re

from data.files.atomic_files import Record
from data.language import say

_CLASS_ENDINGS = re.compile(r"(ForCausalLM|LMHeadModel|LMHead|WithLMHeadModel|ForConditionalGeneration|Model)$")
_FORMATS = {"gpt1": "GPT-1", "gpt2": "GPT-2"}


def architecture(info: Record) -> str:
    """Name the architecture of a run's model; ``info`` is its ``run.json``. Our own is ``GPT``, word vectors have none.

    Examples
    --------
    >>> architecture({"model": {"architecture": "LlamaForCausalLM"}})
    'Llama'
    >>> architecture({"model": {"architecture": "GPTNeoXForCausalLM"}}), architecture({"model": {"n_layer": 2}})
    ('GPT-NeoX', 'GPT')
    """
    model = info.get("model")
    if not model:
        return ""
    if name := model.get("architecture"):
        short = _CLASS_ENDINGS.sub("", str(name)) or str(name)
        return "GPT-1" if short == "OpenAIGPT" else re.sub(r"^GPT(?=[A-Z0-9])", "GPT-", short)
    source = info.get("source") or {}
    return _FORMATS.get(str(source.get("format")), "GPT")


def unknown_step(info: Record) -> str:
    """Describe the snapshot of step 0 where its step is not known; empty where it is.

    Examples
    --------
    >>> unknown_step({"model": {}, "source": {"step_known": False, "revisions": {"0": "main"}}})
    'one snapshot, trained'
    """
    source = info.get("source") or {}
    if source.get("step_known", "rows" not in source):  # word vectors count their rows
        return ""
    several = len(source.get("revisions", ())) - len(source.get("missing_steps", ())) > 1
    return "step unknown" if several else "one snapshot, trained"


def step_label(step: int, unknown: str = "") -> str:
    """Name a snapshot by its step; ``unknown`` is what `unknown_step` found.

    Examples
    --------
    >>> step_label(1000), step_label(0), step_label(0, "step unknown")
    ('step 1,000', 'step 0', 'step unknown')
    """
    return say(unknown) if unknown and step == 0 else say("step {step:,}", step=step)
