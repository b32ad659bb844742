"""A table of embeddings with its highlighted groups, and the curves and texts around pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from data.errors import NotApplicableError
from data.language import picture_language, say
from data.progress import Progress
from data.runs import Run
from data.runs.names import architecture
from data.tokens.bits import bits_per_character
from probes.groups.comparison import NOTHING, Findings
from probes.groups.frequency import most_frequent
from probes.groups.naming import Group, classes, parse_highlight
from probes.groups.wording import capital
from probes.tables.embeddings import TableName, read_table
from viz.drawing.curve_panel import Curve
from viz.drawing.text import Caption, label_name

CLEARLY_MORE = 0.005
"""PCA is recommended where it keeps so much more of the neighbourhoods."""
MOST_SENTENCES = 2
"""The most sentences at the foot of a slide."""


@dataclass(frozen=True)
class GroupedTable:
    """A trajectory to draw, with groups of its items.

    ``trajectory`` has dimensions (step, token or position, dim); ``groups`` are highlighted; ``classes`` colour the items where nothing is.
    """

    what: TableName
    trajectory: xr.DataArray
    groups: tuple[Group, ...]
    classes: tuple[Group, ...]

    @property
    def labels(self) -> list[str]:
        return item_labels(self.trajectory)

    @property
    def is_ordered(self) -> bool:
        """Whether the items have an order that a line through them shows."""
        return self.what == "positions"


def item_labels(table: xr.DataArray) -> list[str]:
    """List the labels of the second dimension, that of the items."""
    return [str(label) for label in table[table.dims[1]].values]


def table_name(what: str) -> TableName:
    """Take the name of a film or figure for the name of its table."""
    return "tokens" if what.startswith("token") else "positions"


def read_grouped_table(
    run: Run,
    what: TableName,
    highlight: Sequence[str | Group] = (),
    *,
    items: int | None = None,
    text: Path | None = None,
    progress: Progress | None = None,
) -> GroupedTable:
    """Read a table over all whole snapshots and find the highlighted items in it.

    Parameters
    ----------
    run, what : the run, and which of its tables.
    highlight : groups, or texts that name some.
    items, text : only the most frequent tokens, see `probes.groups.frequency.most_frequent`; all if None.
    progress : called with the number of snapshots read so far.

    Raises
    ------
    InputError
        If the run has no such table, or a highlight names nothing in it.
    """
    trajectory = read_table(run, what, progress=progress)
    if items is not None:
        trajectory = most_frequent(run, trajectory, items, text)
    return grouped_table(trajectory, what, highlight)


def grouped_table(trajectory: xr.DataArray, what: TableName, highlight: Sequence[str | Group] = ()) -> GroupedTable:
    """Find the highlighted items in a trajectory (step, token or position, dim); errors are those of `read_grouped_table`."""
    labels = item_labels(trajectory)
    groups = parse_highlight(highlight, labels, language=picture_language())
    return GroupedTable(what, trajectory, groups, tuple(classes(labels)) if what == "tokens" else ())


def loss_curve(run: Run) -> Curve | None:
    """Build the curve of a run's losses; None if none were measured."""
    metrics = run.metrics()
    if not metrics:
        return None
    return Curve(
        say("validation loss (nats per token)"),
        np.array([record["step"] for record in metrics]),
        np.array([record["val_loss"] for record in metrics]),
        name=say("validation"),
        second_values=np.array([record["train_loss"] for record in metrics]),
        second_name=say("training"),
    )


def loss_curves(run: Run) -> list[Curve]:
    """List the curve of the losses, or nothing if none were measured."""
    return [loss] if (loss := loss_curve(run)) else []


def bits_curve(run: Run) -> Curve:
    """Build the curve of a run's validation loss in bits per character, which compares across tokenizers.

    Raises
    ------
    NotApplicableError
        If no losses were measured, or the run does not say how many characters its validation tokens stand for.
    """
    losses, measured = loss_curve(run), run.info.get("corpus", {}).get("validation")
    if measured is None and run.info["tokenizer"].get("kind") == "char":
        measured = {"tokens": 1, "characters": 1}
    if losses is None or measured is None:
        raise NotApplicableError(f"run {run.name!r} does not say what its loss is per character: train it again")
    bits = bits_per_character(1.0, measured["tokens"], measured["characters"])
    return Curve(say("validation loss (bits per character)"), losses.steps, bits * losses.values, name=run.name)


def trust_curve(projection: xr.Dataset) -> Curve:
    """Build the curve of each layout's trustworthiness: how much of the neighbourhoods it keeps."""
    values = projection["trustworthiness"].values.astype(float)
    low = min(0.5, float(np.floor(values.min() * 10) / 10))
    title = say("trustworthiness (of neighbours)")
    return Curve(title, projection["step"].values, values, limits=(low, 1.0), role="trust")


def caption(run: Run, table: GroupedTable, projection: xr.Dataset, found: Findings = NOTHING) -> Caption:
    """Write the texts around a picture of a projection: what was found is the title, what is drawn the subtitle."""
    method = projection.attrs["method_name"]
    is_part, n = "token_id" in table.trajectory.coords, len(table.labels)
    many = method != "PCA"
    warning = say(" In t-SNE and UMAP, sizes of groups and gaps between them mean little.") if many else ""
    plain = say("Token embeddings") if table.what == "tokens" else say("Position embeddings")
    subtitle = say(
        "{plain} of {run}: {what}, {part}{dim} dimensions drawn in 2 by {method}{metric}",
        plain=plain,
        run=run.name,
        what=_learner(run, n, is_part=is_part),
        part=say("the {n:,} most frequent tokens, ", n=n) if is_part and "model" in run.info else "",
        dim=str(table.trajectory.sizes["dim"]),
        method=method,
        metric=say(" of cosine distances") if projection.attrs.get("metric") == "cosine" else "",
    )
    exact = say("Each snapshot's layout is exact; the motion between snapshots is interpolated.")
    return Caption(
        title=found.title or plain,
        subtitle=subtitle,
        footnote=f"{exact}{warning}{_better_by_pca(projection)}",
        takeaway=in_sentences(found, MOST_SENTENCES),
    )


def _learner(run: Run, n_items: int, *, is_part: bool) -> str:
    """Name the model that learned a table, and its text; or the vectors, which have no model."""
    if "model" not in run.info:
        return say("the first {n:,} word vectors" if is_part else "{n:,} word vectors", n=n_items)
    name, n = architecture(run.info), run.info["parameters"]
    corpus = run.info.get("corpus", {}).get("name", "")
    if name == "GPT":
        template = "a GPT of {n:,} parameters reading {corpus}" if corpus else "a GPT of {n:,} parameters"
    else:
        template = "{name} with {n:,} parameters reading {corpus}" if corpus else "{name} with {n:,} parameters"
    return say(template, name=name, n=n, corpus=corpus)


def _better_by_pca(projection: xr.Dataset) -> str:
    """Write that PCA would keep clearly more of the neighbourhoods than the method that was chosen, if so."""
    kept, by_pca = (projection.attrs.get(name) for name in ("kept", "kept_by_pca"))
    if kept is None or by_pca is None or by_pca <= kept + CLEARLY_MORE:
        return ""
    shares = {"pca": f"{100 * by_pca:z.0f}", "kept": f"{100 * kept:z.0f}"}
    return say(" PCA keeps more neighbourhoods here ({pca} in 100, this {kept}): pass method=pca.", **shares)


def alt_text(run: Run, table: GroupedTable, projection: xr.Dataset, found: Findings = NOTHING) -> str:
    """Write the alt text of a picture of a projection: what was found, what is drawn, and the sentences of the last snapshot."""
    trust = projection["trustworthiness"].values
    groups = "; ".join(say("{group} in a colour of its own", group=group.name) for group in table.groups)
    picked = say(" Highlighted: {groups}.", groups=groups) if groups else ""
    fall = ""
    if loss := loss_curve(run):
        ends = {"first": float(loss.values[0]), "last": float(loss.values[-1])}
        fall = say(" The validation loss goes from {first:z.2f} to {last:z.2f} nats per token.", **ends)
    title = f"{found.title}. " if found.title else ""
    what = say(
        "The token embeddings of run {run}: {n} points labelled {first} to {last}, laid out in two dimensions by {method} {steps}."
        if table.what == "tokens"
        else "The position embeddings of run {run}: {n} points labelled {first} to {last}, laid out in two dimensions by {method} {steps}.",
        run=run.name,
        n=len(table.labels),
        first=label_name(table.labels[0], picture_language()),
        last=label_name(table.labels[-1], picture_language()),
        method=projection.attrs["method_name"],
        steps=run.over_steps(projection["step"].values.tolist()),
    )
    trusted = say(
        "Trustworthiness of the layout: {first:z.2f} at the first snapshot, {last:z.2f} at the last.",
        first=float(trust[0]),
        last=float(trust[-1]),
    )
    return f"{title}{what}{picked}{fall} {trusted} {in_sentences(found)}".strip()


def in_sentences(found: Findings, most: int | None = None) -> str:
    """Write the sentences of the last snapshot one after another; ``most`` of them, or all."""
    return " ".join(f"{capital(text)}." for text in found.last_sentences[:most])
