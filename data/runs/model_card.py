"""The model card of an exported snapshot: README.md with the front matter that Hugging Face's hub reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from data.files.atomic_files import Record
from data.runs.card import run_facts
from data.runs.run import Run

_LICENCES = {
    *("mit", "apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc0-1.0", "gpl-3.0"),
    *("lgpl-3.0", "agpl-3.0", "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "unlicense", "openrail", "unknown"),
}
"""Identifiers of the hub; any other licence is ``other`` there, and named."""
_LANGUAGES = {"English": "en", "Portuguese": "pt"}

_TEXT = """
# {title}

{origin}

| | |
|---|---|
{rows}

## Use

```python
{code}
```

What the model writes may be wrong or offensive.
"""
_PIPELINE = """from transformers import pipeline

generate = pipeline("text-generation", model="path/of/this/folder")
generate({prompt}, max_new_tokens={n_tokens})"""
_LOAD = """from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("path/of/this/folder")  # its tokens are ids: there is no tokenizer"""


def model_card(run: Run, step: int, architecture: str, *, licence: str = "unknown", has_tokenizer: bool = True) -> str:
    """Write the model card of a snapshot in Markdown: origin, data, losses, licence, and how to load it.

    Parameters
    ----------
    run, step : the run and its snapshot.
    architecture : the class of Hugging Face that loads it.
    licence : an identifier of the hub, or the name of another licence.
    has_tokenizer : whether a tokenizer is exported with it.
    """
    info = run.info
    samples = [sample["prompt"] for sample in run.samples()]
    n_tokens = max(1, int((info.get("model") or {}).get("block_size", 40)) // 2)
    use = _PIPELINE.format(prompt=json.dumps(samples[-1] if samples else "...", ensure_ascii=False), n_tokens=n_tokens)
    text = _TEXT.format(
        title=run.name,
        origin=f"Step {step:,} of the run `{run.name}`, exported by GPTLab as a `{architecture}`.",
        rows="\n".join(f"| {label} | {_cell(text)} |" for label, text in _rows(run, step, licence)),
        code=use if has_tokenizer else _LOAD,
    )
    return "---\n" + "".join(f"{name}: {value}\n" for name, value in _front_matter(info, licence)) + "---\n" + text


def _front_matter(info: Record, licence: str) -> Iterator[tuple[str, str]]:
    name = "-".join(licence.lower().split())
    yield "license", name if name in _LICENCES else "other"
    if name not in _LICENCES:
        yield "license_name", json.dumps(licence, ensure_ascii=False)  # JSON is YAML
    if language := _LANGUAGES.get((info.get("corpus") or {}).get("language") or ""):
        yield "language", language
    yield "library_name", "transformers"
    yield "pipeline_tag", "text-generation"
    yield "tags", '["gptlab"]'


def _rows(run: Run, step: int, licence: str) -> Iterator[tuple[str, str]]:
    metrics = [record for record in run.metrics() if record["step"] <= step]
    facts = {label: text for label, text in run_facts(run.info, metrics, [step]) if label != "snapshots"}
    if "source" in facts and Path(facts["source"]).is_absolute():  # a folder of whoever imported it
        facts["source"] = Path(facts["source"]).name
    facts.setdefault("corpus", "not recorded")
    facts.setdefault("loss", "not recorded")
    yield from facts.items()
    yield "licence", licence


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
