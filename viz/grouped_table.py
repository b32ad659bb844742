"""What a film or figure of embeddings shows: a table of the run, the items picked out in it, and the curves beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from data.errors import NotApplicableError
from data.runs import Run
from data.tokens.bits import bits_per_character
from probes.groups.naming import Group, classes, highlight
from probes.tables.embeddings import TableName, position_embeddings, token_embeddings
from viz.drawing.curve_panel import Curve
from viz.drawing.labels import label_name
from viz.drawing.legend import Caption


@dataclass(frozen=True)
class GroupedTable:
    """A trajectory to be drawn.

    ``trajectory`` has dimensions (step, token or position, dim); ``groups`` are highlighted; ``classes`` colour the items where nothing is.
    """

    what: TableName
    trajectory: xr.DataArray
    groups: tuple[Group, ...]
    classes: tuple[Group, ...]

    @property
    def labels(self) -> list[str]:
        return [str(label) for label in self.trajectory[self.trajectory.dims[1]].values]

    @property
    def is_ordered(self) -> bool:
        """Whether the items have an order that a line through them shows."""
        return self.what == "positions"


def read_grouped_table(
    run: Run, what: TableName, highlights: Sequence[str] = (), progress: Callable[[int], None] | None = None
) -> GroupedTable:
    """Read a table over all whole snapshots and find the highlighted items in it.

    Raises
    ------
    InputError
        If the run has no such table, or a highlight names nothing in it.
    """
    trajectory = (token_embeddings if what == "tokens" else position_embeddings)(run, progress=progress)
    return grouped_table(trajectory, what, highlights)


def grouped_table(trajectory: xr.DataArray, what: TableName, highlights: Sequence[str] = ()) -> GroupedTable:
    """Find the highlighted items in a trajectory (step, token or position, dim); errors are those of `read_grouped_table`."""
    labels = [str(label) for label in trajectory[trajectory.dims[1]].values]
    groups = tuple(highlight(wanted, labels) for wanted in highlights)
    return GroupedTable(what, trajectory, groups, tuple(classes(labels)) if what == "tokens" else ())


def loss_curve(run: Run) -> Curve | None:
    """Return the losses of a run, or None if none were measured."""
    metrics = run.metrics()
    if not metrics:
        return None
    return Curve(
        "validation loss (nats per token)",
        np.array([record["step"] for record in metrics]),
        np.array([record["val_loss"] for record in metrics]),
        name="validation",
        second_values=np.array([record["train_loss"] for record in metrics]),
        second_name="training",
    )


def bits_curve(run: Run) -> Curve:
    """Return the validation losses of a run in bits per character, which compare across tokenizers.

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
    return Curve("validation loss (bits per character)", losses.steps, bits * losses.values, name=run.name)


def trust_curve(projection: xr.Dataset) -> Curve:
    """Return how much of the neighbourhoods each snapshot's layout keeps."""
    values = projection["trustworthiness"].values.astype(float)
    low = min(0.5, float(np.floor(values.min() * 10) / 10))
    return Curve("trustworthiness (of neighbours)", projection["step"].values, values, limits=(low, 1.0))


def caption(run: Run, subject: GroupedTable, projection: xr.Dataset) -> Caption:
    """Return the words around the picture."""
    method = projection.attrs["method_name"]
    corpus = run.info.get("corpus", {}).get("name", "")
    reading = f" reading {corpus}" if corpus else ""
    is_model = "model" in run.info
    what = (
        f"a GPT of {run.info['parameters']:,} parameters{reading}"
        if is_model
        else f"{len(subject.labels):,} word vectors"
    )
    warning = " In t-SNE and UMAP, sizes of groups and gaps between them mean little." if method != "PCA" else ""
    return Caption(
        title=f"{subject.what[:-1].capitalize()} embeddings",
        subtitle=f"{run.name}: {what}, {subject.trajectory.sizes['dim']} dimensions drawn in 2 by {method}{_metric(projection)}",
        footnote=f"Each snapshot's layout is exact; the motion between snapshots is interpolated.{warning}",
    )


def _metric(projection: xr.Dataset) -> str:
    return " of cosine distances" if projection.attrs.get("metric") == "cosine" else ""


def alt_text(run: Run, subject: GroupedTable, projection: xr.Dataset) -> str:
    """Describe a film of ``projection`` in words."""
    steps, trust = projection["step"].values, projection["trustworthiness"].values
    groups = "; ".join(f"{group.name} in a colour of its own" for group in subject.groups)
    picked = f" Highlighted: {groups}." if groups else ""
    loss = loss_curve(run)
    fall = (
        f" The validation loss goes from {loss.values[0]:.2f} to {loss.values[-1]:.2f} nats per token." if loss else ""
    )
    first, last = label_name(subject.labels[0]), label_name(subject.labels[-1])
    return (
        f"The {subject.what[:-1]} embeddings of run {run.name}: {len(subject.labels)} points labelled {first} to {last}, "
        f"laid out in two dimensions by {projection.attrs['method_name']} at {len(steps)} snapshots from step "
        f"{steps[0]:,} to step {steps[-1]:,}.{picked}{fall} "
        f"Trustworthiness of the layout: {trust[0]:.2f} at the first snapshot, {trust[-1]:.2f} at the last."
    )
