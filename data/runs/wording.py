"""How a run's model and the steps of its snapshots are named in text.

A finished model that was imported, and word vectors, have weights of a step that nobody recorded. Their snapshot is kept as step 0, which
elsewhere means untrained; in text and pictures it is named by what is known of it.
"""

from __future__ import annotations

import re

from data.runs.atomic_files import Record

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


def model_phrase(info: Record) -> str:
    """Describe a run's model in running text.

    Examples
    --------
    >>> model_phrase({"model": {"n_layer": 2}, "parameters": 207936})
    'a GPT of 207,936 parameters'
    >>> model_phrase({"model": {"architecture": "LlamaForCausalLM"}, "parameters": 134515008})
    'Llama with 134,515,008 parameters'
    """
    name = architecture(info)
    return f"{'a GPT of' if name == 'GPT' else f'{name} with'} {info['parameters']:,} parameters"


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
    return unknown if unknown and step == 0 else f"step {step:,}"


def at_step(step: int, unknown: str = "") -> str:
    """Name a snapshot after the name of its run.

    Examples
    --------
    >>> at_step(1000), at_step(0, "one snapshot, trained")
    ('at step 1,000', '(one snapshot, trained)')
    """
    return f"({unknown})" if unknown and step == 0 else f"at step {step:,}"


def over_steps(n_snapshots: int, first: int, last: int, unknown: str = "") -> str:
    """Name the snapshots that a film runs through.

    Examples
    --------
    >>> over_steps(5, 0, 400), over_steps(1, 0, 0, "one snapshot, trained"), over_steps(2, 0, 9, "step unknown")
    ('at 5 snapshots from step 0 to step 400', 'at one snapshot, trained', 'at 2 snapshots from step unknown to step 9')
    """
    if unknown and n_snapshots == 1:
        return f"at {unknown}"
    return f"at {n_snapshots} snapshots from {step_label(first, unknown)} to {step_label(last, unknown)}"
