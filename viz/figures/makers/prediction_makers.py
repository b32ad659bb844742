"""Figures of what a model predicts: the next token, layer by layer, by position, and which line comes next."""

from __future__ import annotations

from data.progress import Progress
from data.runs import Run
from viz.drawing.text import quoted
from viz.figures.figure import Figure
from viz.figures.makers.step_selection import until_step
from viz.request import FigureRequest


def make_next_token(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the distribution of the token after a prompt."""
    from probes.models.logits import next_token_distribution
    from viz.figures.next_token_figure import draw_next_token

    found = until_step(run, next_token_distribution(run, request.prompt, progress=progress), request)
    prompt = str(found.attrs["prompt"])
    last = found.isel(step=-1)
    best = last.isel(token=int(last.values.argmax()))
    title = "What comes next?"
    figure = draw_next_token(
        found, prompt, title=title, subtitle=f"{run.name} at step {int(last['step']):,}", **request.look
    )
    alt = (
        f"Probabilities of the next token after {quoted(prompt, 600)} in run {run.name} at step {int(last['step']):,}; the likeliest is "
        f"{str(best['token'].values)!r} at {float(best):.2f}."
    )
    return Figure(run, request, figure, title, alt, found)


def make_lens(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw what the model would say after each layer."""
    from probes.models.logits import logit_lens
    from viz.figures.next_token_figure import draw_lens

    lens = until_step(run, logit_lens(run, request.prompt, progress=progress), request)
    title, step = "What each layer would say", int(lens["step"][-1])
    subtitle = f"{run.name} at step {step:,}: the likeliest next token if the layer were the last (logit lens)"
    figure = draw_lens(
        lens, [str(token) for token in lens["prompt_token"].values], title=title, subtitle=subtitle, **request.look
    )
    likeliest = [str(token) for token in lens["top"].values[-1, :, -1]]
    alt = (
        f"Logit lens of run {run.name} at step {step:,} reading {quoted(str(lens.attrs['prompt']), 600)}. After the last token the "
        f"embeddings and each layer in turn would say: {', '.join(map(repr, likeliest))}."
    )
    return Figure(run, request, figure, title, alt, lens)


def make_context(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the loss by position in the context."""
    from probes.models.logits import loss_by_position
    from viz.figures.next_token_figure import draw_context_loss

    found = loss_by_position(run, seed=request.seed, text=request.text, progress=progress)
    title = "What the context is worth"
    first, last = float(found["loss"][-1, 0]), float(found["loss"][-1, -1])
    takeaway = f"At the end: {first:.2f} nats after one token, {last:.2f} after {found.sizes['position']}."
    subtitle = f"{run.name}: loss on validation text by position in the context, nats per token"
    figure = draw_context_loss(found["loss"], title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    return Figure(
        run,
        request,
        figure,
        title,
        f"Loss of run {run.name} by position in the context, early to late snapshots. {takeaway}",
        found,
    )


def make_zero_shot(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw how often the model knows which of four lines comes next, without having been taught to choose."""
    from probes.models.zero_shot import zero_shot
    from viz.figures.zero_shot_figure import draw_zero_shot

    found = zero_shot(run, seed=request.seed, text=request.text, progress=progress)
    title = "What it knows without being taught"
    subtitle = (
        f"{run.name}: which of four lines comes next? {found.attrs['questions']:,} questions, one standard error shaded"
    )
    by_probability, by_gain = (100 * float(found[name][-1]) for name in ("accuracy", "accuracy_by_gain"))
    takeaway = f"The likeliest line is right in {by_probability:.0f}%, the one that the context makes likelier in {by_gain:.0f}%."
    figure = draw_zero_shot(found, title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    alt = f"Share of questions that run {run.name} answers without being taught, over training; guessing gives 25%. {takeaway}"
    return Figure(run, request, figure, title, alt, found)
