"""Figures of a training: the losses, and what each attention head becomes."""

from __future__ import annotations

from data.errors import NotApplicableError
from data.progress import Progress
from data.runs import Run
from viz.figures.figure import Figure
from viz.request import FigureRequest


def make_loss(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw training and validation loss over the steps."""
    from viz.figures.loss_figure import draw_loss
    from viz.grouped_table import loss_curve

    curve = loss_curve(run)
    if curve is None:
        raise NotApplicableError(f"run {run.name!r} has no losses to draw: it was made without evaluations")
    title, last = f"Loss of {run.name}", int(curve.steps[-1])
    alt = (
        f"Training and validation loss of run {run.name} over {last:,} steps. The validation loss falls from {curve.values[0]:.2f} to "
        f"{curve.values[-1]:.2f} nats per token."
    )
    figure = draw_loss(curve, title=title, subtitle="nats per token", **request.look)
    return Figure(run, request, figure, title, alt)


def make_head_scores(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw what each head does over training, with the loss beside it."""
    from probes.models.heads import head_scores
    from viz.figures.head_score_figure import draw_scores, leading_head
    from viz.grouped_table import loss_curve

    scores = head_scores(run, seed=request.seed, text=request.text, progress=progress)
    title = "What each attention head does"
    subtitle = f"{run.name}: {scores.sizes['layer']} layers of {scores.sizes['head']} heads; dashed: a head that attends evenly"
    leading = []
    for name, words in (("previous_token", "to the token before"), ("induction", "to what followed the same token")):
        layer, head = leading_head(scores[name])
        value, even = float(scores[name][-1, layer, head]), scores[name].attrs["uniform"]
        leading.append(f"most attention {words}: layer {layer} head {head}, {value:.2f} (even: {even:.2f})")
    takeaway = "; ".join(leading)
    takeaway = takeaway[0].upper() + takeaway[1:] + "."
    figure = draw_scores(scores, loss_curve(run), title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    return Figure(
        run,
        request,
        figure,
        title,
        f"Scores of the attention heads of run {run.name} over its snapshots. {takeaway}",
        scores,
    )
