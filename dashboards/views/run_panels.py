"""Panels of what is measured of a run: points, attention, head scores and next tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import Colormap, to_hex
from numpy.typing import NDArray

from dashboards.compute import queries
from dashboards.compute.queries import PackedMaps, steps_of
from dashboards.forms.prompt_form import replaced_prompt_note
from dashboards.page import Page
from dashboards.state.url import get_field
from probes.groups.naming import Group, classes
from viz.drawing.text import label_name
from viz.drawing.theme import heat_map, role_color, weight_map
from viz.fonts import letter
from viz.player.attention_panels import HeadRanking, HeadTimeline, HeatMaps, LargeMap
from viz.player.panels import Bars, Scatter
from viz.player.projection_scene import scatter_panel

ABOUT_SCORES = {"duplicate_token": "same-token-earlier"}
"""The keys of the explanations of scores, where they are not the names of the scores."""


def ramp(colors: Colormap) -> list[str]:
    """Sample 256 colours of a colormap, from its low end to its high end."""
    return [to_hex(color) for color in colors(np.linspace(0, 1, 256))]


def scatter(
    page: Page,
    area: str,
    title: str,
    trajectory: xr.DataArray,
    layout: xr.Dataset,
    *,
    groups: Sequence[Group],
    neighbours: NDArray[Any] | None = None,
    steps: Sequence[int] | None = None,
) -> Scatter:
    """Build the picture of a layout, with its groups highlighted; without groups, tokens are coloured by their classes."""
    return scatter_panel(
        layout,
        groups,
        classes(queries.labels_of(trajectory)),
        theme=page.theme,
        title=title,
        id=area,
        area=area,
        language=page.say.language,
        class_names=page.say.section("classes"),
        neighbours=neighbours,
        steps=steps,
    )


def attention(
    page: Page,
    area: str,
    maps: PackedMaps,
    chosen: tuple[int, int] | None = None,
    *,
    large: PackedMaps | None = None,
    title: str = "",
    steps: Sequence[int] | None = None,
) -> HeatMaps:
    """Build the attention maps of a prompt; ``large`` is the map of the chosen head, where it has more tokens."""
    return HeatMaps(
        area,
        area,
        title or page.say("views.attention"),
        values=maps.weights,
        tokens=letter(page.run, maps.tokens),
        ramp=ramp(weight_map(page.theme, page.theme.panel)),
        chooses=True,
        chosen=chosen,
        large=LargeMap(chosen, large.weights, letter(page.run, large.tokens)) if large and chosen else None,
        picture=get_field("picture"),
        query=get_field("query"),
        layer_name=page.say("slider.layer"),
        head_name=page.say("slider.head"),
        note=replaced_prompt_note(page, "attention.none_known_maps", "".join(maps.tokens)),
        steps=steps,
    )


def score_timeline(
    page: Page, area: str, scores: xr.DataArray, title: str, chosen: tuple[int, int] | None = None
) -> HeadTimeline:
    """Build the timeline of a score of every head; the last colour stands for 1, or for the largest value if that is more."""
    heads = [(int(layer), int(head)) for layer in scores["layer"].values for head in scores["head"].values]
    uniform = float(scores.attrs["uniform"])
    return HeadTimeline(
        area,
        area,
        title,
        values=scores.transpose("step", "layer", "head").values.reshape(scores.sizes["step"], -1).astype(np.float32),
        rows=[f"{page.say('views.L')}{layer} {page.say('views.H')}{head}" for layer, head in heads],
        ramp=ramp(heat_map(page.theme)),
        heads=heads,
        high=max(1.0, float(np.nanmax(scores.values))),
        note=page.say("attention.even", value=page.say.number(uniform, 2)),
        uniform=uniform,
        chooses=True,
        chosen=chosen,
        steps=steps_of(scores),
        about=(ABOUT_SCORES.get(str(scores.name), str(scores.name).replace("_", "-")),),
    )


def head_ranking(
    page: Page, area: str, scores: xr.DataArray, title: str, chosen: tuple[int, int] | None = None
) -> HeadRanking:
    """Build the list of heads in the order of a score; a bar of full length stands for what the last colour of the timeline does."""
    timeline = score_timeline(page, area, scores, title, chosen)
    layer, head = page.say("slider.layer"), page.say("slider.head")
    heads = timeline.heads or ()
    return HeadRanking(
        area,
        area,
        title,
        values=timeline.values,
        rows=[f"{layer} {i}, {head} {j}" for i, j in heads],
        heads=heads,
        color=role_color(page.theme, "rank"),
        high=timeline.high,
        chooses=True,
        chosen=chosen,
        steps=timeline.steps,
        about=timeline.about,
    )


def next_token(page: Page, area: str, leading: xr.Dataset, title: str = "", *, high: float | None = None) -> Bars:
    """Build the bars of the most probable next tokens of every step, see `queries.leading_probabilities`.

    A bar of full length stands for ``high``, or for the largest probability at any step.
    """
    tokens = [str(token) for token in leading["token"].values]
    return Bars(
        area,
        area,
        title or page.say("attention.next"),
        tokens=leading["index"].values.astype(np.uint32),
        values=leading["probability"].values.astype(np.float32),
        labels=letter(page.run, tokens),
        names=letter(page.run, tokens, partial(label_name, language=page.say.language)),
        color=role_color(page.theme, "probability"),
        high=high or float(leading["probability"].max()),
        others=page.say("views.others"),
        n_tokens=int(leading.attrs["n_tokens"]),
        note=replaced_prompt_note(page, "attention.none_known_next", str(leading.attrs["prompt"])),
        steps=steps_of(leading),
    )
