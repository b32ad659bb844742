"""Figures of decoding: a text token by token, and what temperature does."""

from __future__ import annotations

from data.progress import Progress
from data.runs import Run
from viz.drawing.text import quoted
from viz.figures.figure import Figure
from viz.request import FigureRequest

STILL_TEMPERATURES = (0.0, 0.5, 0.8, 1.0, 2.0)


def make_trace(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the leading candidates token by token: of a recorded trace, or of going on greedily from a prompt."""
    from probes.models.decoding import decoding_trace, recorded_trace
    from viz.figures.decoding_figure import draw_trace

    if request.trace is None:
        found = decoding_trace(run, request.prompt, step=request.step, progress=progress)
    else:
        found = recorded_trace(run, request.trace)
    chosen = found.attrs["decoding"]
    how = "always the likeliest" if chosen["temperature"] == 0 else f"drawn at temperature {chosen['temperature']:g}"
    more = [
        f"{name.replace('_', '-')} {chosen[name]:g}"
        for name, off in (("top_k", 0), ("top_p", 1), ("min_p", 0))
        if chosen[name] != off
    ]
    title, step = "Token by token", int(found["step"])
    subtitle = f"{run.name} at step {step:,}; {', '.join([how, *more])}; framed is the token that was taken"
    text = "".join(str(token) for token in found["chosen"].values)
    alt = (
        f"Leading candidates of each token that run {run.name} at step {step:,} wrote after {quoted(str(found.attrs['prompt']), 600)}: "
        f"{quoted(text, 600)} ({how})."
    )
    figure = draw_trace(found, title=title, subtitle=subtitle, **request.look)
    return Figure(run, request, figure, title, alt, found)


def make_temperature(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the distribution of the token after a prompt at five temperatures."""
    from probes.models.decoding import temperature_distributions
    from viz.figures.decoding_figure import draw_temperatures

    found = temperature_distributions(
        run, request.prompt, step=request.step, temperatures=STILL_TEMPERATURES, progress=progress
    )
    title, step, prompt = "What temperature does", int(found["step"]), str(found.attrs["prompt"])
    subtitle = f"{run.name} at step {step:,}: the next token at five temperatures, entropy in nats"
    figure = draw_temperatures(found, prompt, title=title, subtitle=subtitle, **request.look)
    entropies = ", ".join(f"{float(e):.2f} at {float(e['temperature']):g}" for e in found["entropy"])
    alt = (
        f"Probabilities of the next token after {quoted(prompt, 600)} in run {run.name} at step {step:,}, at five temperatures. "
        f"The entropy in nats is {entropies}."
    )
    return Figure(run, request, figure, title, alt, found)
