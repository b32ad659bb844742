"""What an import did, as lines of text: a row for every tensor of the source, and what was not taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from data.runs import Run
from trainer.pretrained.mapping import CONVERTED


def format_report(run: Run) -> str:
    """Return what became of each tensor of the source of an imported run, and what else is to be known of it."""
    return "\n".join([*_table(run.info["source"]["tensors"]), "", *_lines(run)])


def _table(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    cells = [("their tensor", "shape", "ours", "note")]
    cells += [
        (row["source"], " x ".join(map(str, row["shape"])) or "1", row["ours"] or "-", row["note"]) for row in rows
    ]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    for their, shape, ours, note in cells:
        yield f"{their:{widths[0]}}  {shape:{widths[1]}}  {ours:{widths[2]}}  {note}".rstrip()


def _lines(run: Run) -> Iterator[str]:
    info, source = run.info, run.info["source"]
    model, steps = info["model"], [snapshot.step for snapshot in run.snapshots()]
    if "architecture" in model:
        form = f"{model['architecture']}, kept in its own class"
    else:
        form = f"our GPT with norm {model['norm']}, bias {model['bias']}, gelu {model['gelu']}"
    yield f"run {run.name}: {info['parameters']:,} parameters, {form}, weights in {_types(source['dtype'])}"
    yield f"snapshots: {len(steps)}, of step {steps[0]:,}" + (f" to {steps[-1]:,}" if len(steps) > 1 else "")
    if source["missing_steps"]:
        yield f"not there, and left out: step {', '.join(map(str, source['missing_steps']))}"
    left_out = source["left_out"]
    yield f"tensors left out: {len(left_out)}" + (", for the reasons in the table" if left_out else "")
    if converted := sum(row["note"] == CONVERTED for row in source["tensors"]):
        yield f"{CONVERTED}: {converted}"
    yield f"tokens: {_tokens(info['tokenizer'], model['vocab_size'])}"
    if source.get("remark"):
        yield source["remark"]
    yield f"wrote {run.path}; look into it with  python -m probes --run {run.name}"


def _types(dtype: str) -> str:
    return dtype + (", kept as float32" if "bfloat16" in dtype else "")


def _tokens(tokenizer: dict[str, Any], rows: int) -> str:
    kind = tokenizer["kind"]
    if kind == "char":
        return f"{len(tokenizer['symbols'])} characters"
    if kind == "words":
        return f"{rows:,}, named by their ids; a text cannot be read"
    unused = f", and {rows - tokenizer['tokens']} unused rows" if rows > tokenizer["tokens"] else ""
    return f"{tokenizer['tokens']:,} sub-words{unused}; {tokenizer['origin']}"
