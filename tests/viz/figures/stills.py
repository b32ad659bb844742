"""Figures of made-up runs, usual and extreme ones, and the defects that their text can have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text

from probes.groups.naming import Group
from viz.drawing.curve_panel import Curve
from viz.drawing.text import Caption
from viz.figures.curve_figure import draw_loss, draw_zero_shot
from viz.figures.decoding_figure import draw_temperatures, draw_trace
from viz.figures.head_score_figure import SCORES, draw_scores
from viz.figures.map_figure import draw_maps
from viz.figures.next_token_figure import draw_context_loss, draw_lens, draw_next_token
from viz.figures.poster_figure import draw_poster
from viz.figures.spectrum_figure import draw_spectra
from viz.figures.table_figure import draw_similarity, draw_table
from viz.grouped_table import GroupedTable

SYMBOLS = [*map(chr, range(32, 127)), "\n", "\u200b", " a longer token", "$$"]


def drawn_texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, Any]]:
    """Draw a figure; return each text that was put on it with its size and the left, bottom, right and top of its box in points."""
    seen: list[tuple[str, float, Any]] = []
    draw = Text.draw

    def watched(self: Text, renderer: Any, *more: Any, **named: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            seen.append(
                (
                    self.get_text(),
                    float(self.get_fontsize()),
                    np.array(self.get_window_extent(renderer).extents) * 72 / figure.dpi,
                )
            )
        draw(self, renderer, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", watched)
        figure.draw_without_rendering()
    return seen


def defects(figure: Figure, monkeypatch: pytest.MonkeyPatch, least_pt: float = 18) -> Iterator[str]:
    """Find texts that are small, cut off, or overlap each other."""
    texts = drawn_texts(figure, monkeypatch)
    width, height = figure.get_size_inches() * 72
    for i, (text, size, (left, bottom, right, top)) in enumerate(texts):
        if size < least_pt:
            yield f"{text!r} is set in {size} points"
        if left < 0 or bottom < 0 or right > width or top > height:
            yield f"{text!r} is cut off"
        for other, _, box in texts[:i]:
            if min(right, box[2]) - max(left, box[0]) > 0.5 and min(top, box[3]) - max(bottom, box[1]) > 0.5:
                yield f"{text!r} and {other!r} overlap"


def made(dims: str, *shape: int, tokens: list[str] | None = None) -> xr.DataArray:
    """Make random numbers from 0 to 1; the first dimension is ``step``, dense at first, then in hundreds."""
    steps = np.unique([0, *(2**i for i in range(7)), *range(100, 100_000, 100)])[: shape[0]]
    coords = {name: np.arange(n) for name, n in zip(dims.split(), shape, strict=True)} | {"step": steps}
    values = np.random.default_rng(0).random(shape)
    return xr.DataArray(
        values, coords if tokens is None else coords | {"token": np.array(tokens, dtype=object)}, dims.split()
    )


def made_loss(n: int) -> Curve:
    steps, values = made("step", n)["step"].values, 1.5 + 4 * np.exp(-np.arange(n) / 9)
    return Curve("validation loss (nats per token)", steps, values, "{:.2f}", "validation", values - 0.01, "training")


def made_scores(*shape: int) -> xr.Dataset:
    scores = made("step layer head", *shape)
    return xr.Dataset({name: scores.assign_attrs(long_name=f"what we mean by {name}", uniform=0.5) for name in SCORES})


def made_geometry(*shape: int) -> xr.Dataset:
    values = made("step component", *shape)
    falling = values.copy(data=-(np.sort(-values.values) ** 3))
    return xr.Dataset({"singular_value": falling, "effective_rank": 99 * falling[:, 0], "stable_rank": falling[:, 0]})


def made_lens(*shape: int) -> xr.Dataset:
    sure = made("step layer position", *shape)
    words = np.array(["a", "$", "\n"] + [" the", "word</w>", "\u200b"] * (shape[1] > 5), dtype=object)
    return xr.Dataset({"top": sure.copy(data=words[(sure.values * len(words)).astype(int)]), "top_probability": sure})


def made_trace(n_tokens: int, n_ranks: int, temperature: float, tokens: list[str]) -> xr.Dataset:
    """Make a trace in which most chosen tokens rank first, some lower, and some are not among the candidates."""
    draw = np.random.default_rng(0)
    shares = -np.sort(-draw.dirichlet(np.full(n_ranks + 1, 0.4), n_tokens), axis=1)[:, :n_ranks]
    candidates = np.array(
        [[tokens[(i + j) % len(tokens)] for j in range(n_ranks)] for i in range(n_tokens)], dtype=object
    )
    ranks = (
        np.where(np.arange(n_tokens) % 4 == 3, -1, np.arange(n_tokens) % 5 % n_ranks)
        if temperature
        else np.zeros(n_tokens, int)
    )
    taken = [tokens[-1] if rank < 0 else candidates[i, rank] for i, rank in enumerate(ranks)]
    found = np.array([0.0004 if rank < 0 else shares[i, rank] for i, rank in enumerate(ranks)])
    ranked = {"candidate": candidates, "probability": shares, "drawn_from": shares}
    single = {
        "chosen": np.array(taken, dtype=object),
        "chosen_rank": ranks,
        "chosen_probability": found,
        "chosen_drawn_from": found,
    }
    return xr.Dataset(
        {name: (("position", "rank"), v) for name, v in ranked.items()}
        | {name: ("position", v) for name, v in single.items()},
        attrs={"prompt": "A figura é", "decoding": {"temperature": temperature}},
    )


def made_temperatures(tokens: list[str], *temperatures: float) -> xr.Dataset:
    logits = np.sort(np.random.default_rng(0).normal(size=len(tokens)) * 3)[::-1]
    shares = np.stack([np.exp((logits - logits[0]) / max(t, 1e-9)) for t in temperatures])
    shares /= shares.sum(axis=1, keepdims=True)
    return xr.Dataset(
        {
            "probability": (("temperature", "token"), shares),
            "entropy": ("temperature", -(shares * np.log(shares + 1e-300)).sum(1)),
        },
        {"temperature": list(temperatures), "token": np.array(tokens, dtype=object)},
    )


def map_of(n: int, n_groups: int) -> Callable[..., Figure]:
    groups = tuple(Group("a name of a group", (i,)) for i in range(n_groups))
    layout = xr.Dataset({"layout": made("step position axis", 2, n, 2), "trustworthiness": made("step", 2)})
    subject = GroupedTable("positions", made("step position dim", 2, n, 2), groups, ())
    return lambda theme, inches, title, subtitle, **_: draw_maps(
        subject, layout, Caption(title, subtitle, ""), theme, inches
    )


def poster_of(n_steps: int, n_items: int, loss: Curve | None) -> Callable[..., Figure]:
    groups = (Group("a name of a group", (0, 1)),)
    layout = xr.Dataset(
        {"layout": made("step position axis", n_steps, n_items, 2), "trustworthiness": made("step", n_steps)}
    )
    subject = GroupedTable("positions", made("step position dim", n_steps, n_items, 2), groups, ())
    return lambda theme, inches, title, subtitle, **_: draw_poster(
        subject, layout, Caption(title, subtitle, ""), loss, theme=theme, inches=inches
    )


def loss_of(n: int) -> Callable[..., Figure]:
    return of(draw_loss, made_loss(n))


def of(draw: Callable[..., Figure], *data: Any) -> Callable[..., Figure]:
    return lambda **words: draw(*data, **words)


def zero_shot_of(*values: float) -> Callable[..., Figure]:
    steps = 2 ** np.arange(len(values)) - 1
    attrs = {"chance": 0.25, "standard_error": 0.03}
    one = xr.DataArray(np.array(values), {"step": steps}, dims="step", attrs=attrs)
    other = xr.DataArray(np.array(values) ** 0.8, {"step": steps}, dims="step", attrs=attrs)
    return of(draw_zero_shot, xr.Dataset({"accuracy": one, "accuracy_by_gain": other}))


USUAL: dict[str, Callable[..., Figure]] = {
    "loss": loss_of(58),
    "maps": map_of(32, 0),
    "poster": poster_of(58, 32, made_loss(58)),
    "scores": of(draw_scores, made_scores(58, 4, 4), made_loss(58)),
    "spectra": of(draw_spectra, made_geometry(58, 64), "tokens"),
    "table": of(draw_table, made("step position dim", 58, 32, 64) - 0.5),
    "similarity": of(draw_similarity, made("step position other", 58, 32, 32)),
    "next token": of(draw_next_token, made("step token", 58, 99, tokens=SYMBOLS) / 49, "A figura\né " * 20),
    "context loss": of(draw_context_loss, made("step position", 58, 32)),
    "zero shot": zero_shot_of(0.24, 0.27, 0.26, 0.3, 0.33, 0.36, 0.39),
    "lens": of(draw_lens, made_lens(58, 5, 33), ["$", "\n", "ã"] * 11),
    "trace, greedy": of(draw_trace, made_trace(12, 10, 0.0, SYMBOLS)),
    "trace, drawn": of(draw_trace, made_trace(40, 10, 0.8, SYMBOLS)),
    "temperatures": of(draw_temperatures, made_temperatures(SYMBOLS, 0, 0.5, 0.8, 1, 2), "A figura é"),
}
EXTREME: dict[str, Callable[..., Figure]] = {
    "trace, 1 token of 1": of(draw_trace, made_trace(1, 1, 0.0, ["a"])),
    "trace, sub-words": of(draw_trace, made_trace(30, 10, 1.0, [" a longer token", "word</w>", "ing", "\u200b"] * 3)),
    "temperatures, 2 tokens": of(
        draw_temperatures, made_temperatures(["a", " a longer token"], 0, 0.5, 0.8, 1, 2), "\n" * 90
    ),
    "loss, 1 step": loss_of(1),
    "maps, 115 and groups": map_of(115, 6),
    "maps, 3": map_of(3, 1),
    "poster, 1 step": poster_of(1, 3, None),
    "poster, 115": poster_of(4, 115, made_loss(4)),
    "scores, 1 x 1": of(draw_scores, made_scores(1, 1, 1), made_loss(1)),
    "scores, 12 x 12": of(draw_scores, made_scores(58, 12, 12), None),
    "spectra, 1 step": of(draw_spectra, made_geometry(1, 1), "positions"),
    "spectra, 768": of(draw_spectra, made_geometry(2, 768), "tokens"),
    "table, 1 step": of(draw_table, made("step position dim", 1, 3, 4)),
    "table, 512": of(draw_table, 1e-3 * made("step position dim", 3, 512, 8)),
    "similarity, 512": of(draw_similarity, made("step position other", 2, 512, 512)),
    "next token, 3": of(draw_next_token, made("step token", 1, 3, tokens=["$", "$$", " "])[0] / 3, "$a$"),
    "context loss, 1 step": of(draw_context_loss, made("step position", 1, 3)),
    "context loss, 512": of(draw_context_loss, made("step position", 900, 512)),
    "zero shot, 1 step": zero_shot_of(0.25),
    "zero shot, all or nothing": zero_shot_of(0.0, 1.0),
    "lens, 24 layers": of(draw_lens, made_lens(2, 25, 30), ["$", "\n", "ção</w>"] * 10),
    "lens, 1 layer": of(draw_lens, made_lens(1, 2, 1), ["a"]),
}
