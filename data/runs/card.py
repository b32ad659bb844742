"""The card that shows a run in a notebook: what it is, how far it came, and its loss over the steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from data.files.atomic_files import Record
from data.runs.names import architecture, step_label, unknown_step

_WIDTH, _HEIGHT = 240, 60
_LABEL_STYLE = (
    "text-align:left;vertical-align:top;white-space:nowrap;font-weight:normal;opacity:.7;padding:1px 1em 1px 0"
)
_SHAPE = {
    "n_layer": "layers",
    "n_head": "heads",
    "n_embd": "wide",
    "block_size": "tokens of context",
    "vocab_size": "tokens in the vocabulary",
}


def run_card(name: str, info: Record, metrics: Sequence[Record], steps: Sequence[int]) -> str:
    """Draw the card of a run as HTML, with the colours of the page around it, light or dark.

    ``info`` is its ``run.json``, ``metrics`` its evaluations, ``steps`` those with a snapshot, both in order.
    """
    rows = "".join(
        f"<tr><th style='{_LABEL_STYLE}'>{escape(label)}</th>"
        f"<td style='text-align:left;padding:1px 0'>{escape(text)}</td></tr>"
        for label, text in run_facts(info, metrics, steps)
    )
    return (
        "<div style='display:inline-block;border:1px solid #8888;border-radius:8px;padding:.7em 1em'>"
        f"<div style='font-weight:600;margin-bottom:.3em'>{escape(name)}</div>"
        f"<table style='border:0;background:none;color:inherit;font-size:inherit;margin:0'>{rows}</table>{_curves(metrics)}</div>"
    )


def count_copies(info: Record) -> int:
    """Count the snapshots of an imported run whose weights are those of an earlier step."""
    return sum(len(steps) - 1 for steps in (info.get("source") or {}).get("identical_steps", []))


def run_facts(info: Record, metrics: Sequence[Record], steps: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield what is known of a run, as a label and a text each; the parameters are those of `run_card`."""
    model: Mapping[str, Any] = info.get("model") or {}
    shape = [f"{model[field]:,} {words}" for field, words in _SHAPE.items() if isinstance(model.get(field), int)]
    if (name := architecture(info)) != "GPT" and shape:
        shape.insert(0, name)
    if shape:
        yield "model", ", ".join(shape)
    if isinstance(info.get("parameters"), int):
        yield "parameters", f"{info['parameters']:,}"
    if base := info.get("base"):
        yield "fine-tuned from", base["run"] + (f", step {base['step']:,}" if base.get("step_known", True) else "")
    if task := info.get("task"):
        yield "task", f"{task['name']} ({task['kind']})"
    if corpus := info.get("corpus"):
        yield "corpus", f"{corpus['name']}, {corpus['characters']:,} characters"
    if source := info.get("source"):
        yield "source", str(source.get("model") or source.get("format") or "")
    training: Mapping[str, Any] = info.get("training") or {}
    if settings := [f"{field} {training[field]}" for field in ("preset", "recipe", "seed") if field in training]:
        yield "training", ", ".join(settings)
    if metrics and (
        losses := [f"{loss:.4f} {kind}" for kind in ("train", "val") if (loss := _loss(metrics[-1], kind))]
    ):
        yield "loss", f"{', '.join(losses)} (nats per token, step {metrics[-1]['step']:,})"
    copies = count_copies(info)
    span = f" ({_span(steps, unknown_step(info))})" if steps else ""
    yield "snapshots", f"{len(steps):,}{span}" + (f", {copies:,} of them copies of earlier ones" if copies else "")


def _span(steps: Sequence[int], unknown: str) -> str:
    if not unknown:
        return f"steps {steps[0]:,} to {steps[-1]:,}"
    ends = dict.fromkeys(step_label(step, unknown) for step in (steps[0], steps[-1]))
    return " to ".join(ends).removeprefix("one snapshot, ")


def _loss(record: Record, kind: str) -> float | None:
    loss = record.get(f"{kind}_loss")
    return float(loss) if isinstance(loss, (int, float)) and math.isfinite(loss) else None


def _curves(metrics: Sequence[Record]) -> str:
    """Draw the losses over the steps as an SVG picture: validation solid, train faint; nothing with fewer than two evaluations."""
    curves = {
        kind: [(record["step"], loss) for record in metrics if (loss := _loss(record, kind)) is not None]
        for kind in ("train", "val")
    }
    points = [point for curve in curves.values() for point in curve]
    if len(metrics) < 2 or not points:
        return ""
    last, low, high = max(x for x, _ in points), min(y for _, y in points), max(y for _, y in points)
    lines = "".join(
        f"<polyline fill='none' stroke='currentColor' stroke-width='1.5' opacity='{opacity}' points='{path}'/>"
        for kind, opacity in (("train", 0.4), ("val", 1))
        if (path := " ".join(_place(x / max(last, 1), (y - low) / ((high - low) or 1)) for x, y in curves[kind]))
    )
    return (
        f"<svg role='img' aria-label='train and validation loss' width='{_WIDTH}' height='{_HEIGHT}' "
        f"style='display:block;margin-top:.5em'>{lines}</svg>"
    )


def _place(x: float, y: float) -> str:
    return f"{2 + x * (_WIDTH - 4):.1f},{2 + (1 - y) * (_HEIGHT - 4):.1f}"
