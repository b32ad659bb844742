"""Stills of decoding: the token taken is framed, what is drawn is what is shown, and a recorded trace brings its own prompt."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from data.errors import InputError
from data.runs import Run
from data.runs.traces import write_trace
from tests.viz.figures.stills import made_temperatures, made_trace
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.recording import TraceRecorder
from trainer.generation.sampling import stream_text
from trainer.loading import load_model
from viz.drawing.slide import SIZES
from viz.drawing.theme import THEMES, theme
from viz.figures.decoding_figure import draw_temperatures, draw_trace
from viz.figures.figure import make_figure
from viz.request import FigureRequest

WORDS = {"title": "t", "subtitle": "s"}
WISH = {"theme": theme("light"), "inches": SIZES["16:9"]}


def framed(figure: object) -> list[Rectangle]:
    return [a for a in figure.artists if isinstance(a, Rectangle) and a.get_linewidth() > 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("look", THEMES)
def test_one_candidate_of_each_token_is_framed_in_its_rank(look: str) -> None:
    trace = made_trace(9, 8, 0.8, list("abcdefghijk"))
    figure = draw_trace(trace, theme=theme(look), **WORDS)
    frames = framed(figure)
    assert len(frames) == 9
    lefts = [round(frame.get_x(), 6) for frame in frames]
    assert lefts == sorted(set(lefts))
    heights = {int(rank): frame.get_y() for rank, frame in zip(trace["chosen_rank"].values, frames, strict=True)}
    ordered = [heights[rank] for rank in sorted(heights) if rank >= 0]
    assert ordered == sorted(ordered, reverse=True)  # the likelier, the higher
    assert heights[-1] < min(ordered)


def test_greedy_traces_show_the_models_own_probabilities() -> None:
    trace = made_trace(5, 4, 0.0, list("abcdefgh"))
    trace["drawn_from"] = trace["drawn_from"] * 0
    texts = {text.get_text() for text in draw_trace(trace, **WORDS).texts}
    assert f"{float(trace['probability'][0, 0]):.2f}" in texts
    assert "–" not in texts


def test_bars_of_temperatures_are_as_long_as_the_probabilities() -> None:
    found = made_temperatures(list("abcdef"), 0, 0.5, 1, 2)
    figure = draw_temperatures(found, "prompt", **WORDS)
    bars = [a for a in figure.artists if isinstance(a, Rectangle)]
    assert len(bars) == 4 * 6
    widths = np.array([bar.get_width() for bar in bars]).reshape(4, 6)
    shares = found["probability"].values
    visible = shares > 0.02  # below, a bar is drawn a point wide at least
    np.testing.assert_allclose((widths / widths.max())[visible], shares[visible], rtol=1e-6)
    assert {"0", "0.5", "1", "2"} <= {text.get_text() for text in figure.texts}


def test_a_recorded_trace_is_drawn_with_its_own_prompt_and_step(run: Run) -> None:
    from data.tokens.tokenizers import tokenizer_from_json

    tokenizer, decoding, request = (
        tokenizer_from_json(run.info["tokenizer"]),
        Decoding(0.9, top_k=5),
        GenerationRequest(6),
    )
    recorder = TraceRecorder(tokenizer)
    list(
        stream_text(load_model(run, 8), tokenizer, "bagu", decoding=decoding, request=request, on_step=recorder.record)
    )
    name = write_trace(run, recorder.trace(run.name, run.snapshot(8), "bagu", decoding, request)).stem
    figure = make_figure(run, FigureRequest(only=("trace",), trace=name))
    said = " ".join(text.get_text() for text in figure.drawing.texts)
    assert "at step 8; drawn at temperature 0.9, top-k 5" in said
    assert "after “bagu”" in said
    assert int(figure.shown["step"]) == 8  # type: ignore[index]
    with pytest.raises(InputError, match="has its own prompt and step"):
        make_figure(run, FigureRequest(only=("trace",), trace=name, prompt="ba"))
    with pytest.raises(InputError, match=re.escape(f"has no trace 'x': it has {name}")):
        make_figure(run, FigureRequest(only=("trace",), trace="x"))


def test_without_a_recorded_trace_the_likeliest_tokens_after_the_prompt_are_drawn(run: Run) -> None:
    figure = make_figure(run, FigureRequest(only=("trace",), prompt="bagu", step=60))
    assert "always the likeliest" in figure.alt_text
    assert len(framed(figure.drawing)) == 12
