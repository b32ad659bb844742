"""The losses of several runs in one chart, as a Vega-Lite specification: hovering shows the losses of all runs at the nearest step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.page import Page
from viz.drawing.theme import run_color
from viz.player.scene import FONT

HEIGHT_PX = 330

LossCurves = Mapping[str, tuple[Sequence[int], Sequence[float]]]


def losses_chart(page: Page, curves: LossCurves) -> dict[str, Any]:
    """Build the chart of validation losses over training steps: steps and losses of each run by its name.

    A click in the legend brings out one run.
    """
    names = list(curves)
    colors = {"domain": names, "range": [run_color(page.theme, index) for index in range(len(names))]}
    lines = [
        {"run": name, "step": step, "loss": loss}
        for name, (steps, losses) in curves.items()
        for step, loss in zip(steps, losses, strict=True)
    ]
    loss = page.say("projection.loss")
    line = {
        "data": {"values": lines},
        "mark": {"type": "line", "strokeWidth": 2.5, "interpolate": "linear"},
        "params": [{"name": "picked", "select": {"type": "point", "fields": ["run"]}, "bind": "legend"}],
        "encoding": {
            "x": _x(page, curves),
            "y": {"field": "loss", "type": "quantitative", "scale": {"zero": False}, "title": loss},
            "color": {"field": "run", "type": "nominal", "scale": colors, "title": None},
            "opacity": {"condition": {"param": "picked", "value": 1}, "value": 0.15},
        },
    }
    return {
        "height": HEIGHT_PX,
        "width": "container",
        "layer": [line, _hover_rule(page, curves)],
        "config": _config(page),
        "usermeta": {"embedOptions": {"actions": False}},
    }


def _x(page: Page, curves: LossCurves) -> dict[str, Any]:
    last = max(steps[-1] for steps, _ in curves.values())
    ticks = sorted({0, last, *(10**n for n in range(1, len(str(last))) if 10**n < 0.5 * last)})
    number = "format(datum.value, ',')"
    number = f"replace({number}, /,/g, '.')" if page.say.language == "pt" else number
    axis = {"values": ticks, "grid": False, "title": page.say("slider.training_step"), "labelExpr": number}
    scale = {"type": "symlog", "constant": 1, "nice": False}  # log(1 + step) has a place for step 0
    return {"field": "step", "type": "quantitative", "scale": scale, "axis": axis}


def _hover_rule(page: Page, curves: LossCurves) -> dict[str, Any]:
    """Build a vertical rule at the step nearest to the pointer, with the losses of all runs there as its tooltip."""
    steps = sorted({step for steps, _ in curves.values() for step in steps})
    by_run = {name: dict(zip(steps, losses, strict=True)) for name, (steps, losses) in curves.items()}
    # Names of runs may hold what Vega reads as a path into an object, so that columns are numbered.
    rows = [
        {"step": step, "shown": page.say.number(step)}
        | {f"run{i}": page.say.number(of[step], 3) if step in of else "–" for i, of in enumerate(by_run.values())}
        for step in steps
    ]
    tooltip = [{"field": "shown", "type": "nominal", "title": page.say("slider.step")}]
    tooltip += [{"field": f"run{i}", "type": "nominal", "title": name} for i, name in enumerate(by_run)]
    select = {"type": "point", "fields": ["step"], "nearest": True, "on": "pointerover", "clear": "pointerout"}
    opacity = {"condition": {"param": "hover", "empty": False, "value": 0.6}, "value": 0}
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "color": page.theme.muted},
        "params": [{"name": "hover", "select": select}],
        "encoding": {"x": _x(page, curves), "opacity": opacity, "tooltip": tooltip},
    }


def _config(page: Page) -> dict[str, Any]:
    theme = page.theme
    decimals = "replace(datum.label, '.', ',')" if page.say.language == "pt" else "datum.label"
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"fill": theme.panel, "stroke": None},
        "axis": {
            "labelColor": theme.text,
            "titleColor": theme.text,
            "titleFontWeight": "normal",
            "labelFontSize": 13,
            "titleFontSize": 14,
            "gridColor": theme.line,
            "gridDash": [2, 3],
            "domainColor": theme.line,
            "tickColor": theme.line,
        },
        "axisY": {"labelExpr": decimals},
        "legend": {
            "orient": "top",
            "labelColor": theme.text,
            "labelFontSize": 14,
            "labelLimit": 300,
            "symbolType": "stroke",
            "symbolStrokeWidth": 3,
        },
    }
