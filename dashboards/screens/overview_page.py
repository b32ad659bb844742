"""Overview: the runs in a table, their losses together, and this run's texts and configuration under the slider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboards.compute.queries import metrics
from dashboards.page import (
    Page,
    escape_markdown,
    guarded,
    live_fragment,
    open_page,
    show_notes,
    show_scene,
    validation_losses,
)
from dashboards.state import run_list
from dashboards.views import run_panels
from dashboards.views.zero_shot_panel import ask_zero_shot, zero_shot_panel
from data.runs import Run
from viz.drawing.theme import group_color
from viz.player.scene import FONT

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FIELDS = ("ask",)
MOST_TOGETHER = 7
MOST_ROWS = 8
HEIGHT_PX = 340


def show() -> None:
    """Draw the page."""
    page = open_page()
    with st.sidebar:
        asks = ask_zero_shot(page)
    live_fragment(page)(lambda: guarded(lambda: _stage(page, asks), page.say))()
    guarded(lambda: _table(page), page.say)
    guarded(lambda: _configuration(page), page.say)


def _stage(page: Page, asks: bool) -> None:
    facts(page)
    show_notes(defects(page), page.say)
    steps = [int(record["step"]) for record in page.run.manifest()]
    if not steps:
        st.info(page.say("page.no_snapshots"), icon=":material/hourglass_empty:")
        return
    panels = [run_panels.loss(page, "loss"), run_panels.sample(page, "sample", history=True)]
    columns = '"loss sample" 1fr / 1fr 1fr'
    if asks:
        panels.append(zero_shot_panel(page))
        columns = '"loss next_line sample" 1fr / 1fr 1fr 1fr'
    show_scene(page, "overview", panels, columns, steps, fields=FIELDS, least_px=HEIGHT_PX, most_px=HEIGHT_PX)


def facts(page: Page) -> None:
    """Show what the run is, in four numbers with a line about each."""
    run, say = page.run, page.say
    info, measured, steps = run.info, metrics(run), [int(record["step"]) for record in run.manifest()]
    corpus, growing = info.get("corpus") or {}, say("page.growing") if page.is_live else ""
    loss = measured[-1].get("val_loss_whole", measured[-1].get("val_loss")) if measured else None
    shown = (
        ("parameters", say.number(info.get("parameters", 0)), shape(page)),
        ("text", escape_markdown(str(corpus.get("name") or say("overview.none"))), _length(page)),
        ("snapshots", say.number(len(steps)), " · ".join(part for part in (_span(page, steps), growing) if part)),
        ("val_loss", say("overview.none") if loss is None else say.number(loss, 3), _fall(page, measured)),
    )
    for column, (name, value, line) in zip(st.columns(4), shown, strict=True):
        with column.container(gap=None):
            st.metric(say(f"overview.{name}"), value)
            st.caption(escape_markdown(line) or "&nbsp;")  # one line in any case, so that nothing below moves


def shape(page: Page) -> str:
    """Say how large the model is, where the run tells."""
    model = page.run.info.get("model") or {}
    parts = [
        page.say(f"overview.{name}", n=page.say.number(int(model[name])))
        for name in ("n_layer", "n_head", "n_embd")
        if isinstance(model.get(name), int)
    ]
    return " · ".join(parts)


def _length(page: Page) -> str:
    corpus, model = page.run.info.get("corpus") or {}, page.run.info.get("model") or {}
    characters, symbols = corpus.get("characters"), model.get("vocab_size")
    parts = [page.say("overview.characters", n=page.say.number(characters))] if characters else []
    parts += [page.say("overview.symbols", n=page.say.number(symbols))] if symbols else []
    return " · ".join(parts)


def _span(page: Page, steps: list[int]) -> str:
    say = page.say
    return say("overview.span", first=say.number(steps[0]), last=say.number(steps[-1])) if steps else ""


def _fall(page: Page, measured: list[dict[str, Any]]) -> str:
    first = measured[0].get("val_loss") if len(measured) > 1 else None
    return page.say("overview.fall", loss=page.say.number(first, 2)) if first is not None else ""


def defects(page: Page) -> list[str]:
    """Name the snapshots whose files are missing or have another size; a whole check reads every byte, and the probes do it."""
    found = []
    for snapshot in page.run.snapshots():
        size = snapshot.path.stat().st_size if snapshot.path.is_file() else None
        if size != snapshot.bytes:
            found.append(page.say("overview.damaged", step=snapshot.step, defect=snapshot.defect()))
    return found


def _table(page: Page) -> None:
    """List the runs; those picked, or else the newest few, have their losses drawn together."""
    say, runs = page.say, run_list.runs()
    st.subheader(say("overview.runs"), anchor=False)
    rows = [_row(run) for run in runs]
    names = {key: say(f"overview.{key}") for key in rows[0]}
    number = st.column_config.NumberColumn
    chosen = st.dataframe(
        pd.DataFrame(rows).rename(columns=names),
        hide_index=True,
        selection_mode="multi-row",
        on_select="rerun",
        key=f"runs_table {' '.join(run.name for run in runs)}",  # ticks are of rows, which another run would push down
        height="content" if len(rows) <= MOST_ROWS else 35 * (MOST_ROWS + 1),
        column_config={
            names["run"]: st.column_config.TextColumn(width="medium"),
            **{names[key]: number(format="localized") for key in ("parameters", "snapshots", "steps")},
            names["val_loss"]: number(format="%.3f"),
            names["created"]: st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
    )
    picked = [runs[i] for i in chosen["selection"]["rows"] if i < len(runs)] or runs[:MOST_TOGETHER]
    _together(page, picked[:MOST_TOGETHER])


def _row(run: Run) -> dict[str, object]:
    info, measured = run.info, metrics(run)
    last = measured[-1] if measured else {}
    created: Any = info.get("created")
    return {
        "run": run.name,
        "text": (info.get("corpus") or {}).get("name"),
        "parameters": info.get("parameters"),
        "snapshots": len(run.manifest()),
        "steps": last.get("step"),
        "val_loss": last.get("val_loss_whole", last.get("val_loss")),
        "created": pd.to_datetime(created, errors="coerce", utc=True),
    }


def _together(page: Page, runs: list[Run]) -> None:
    """Draw the validation losses of several runs on one axis."""
    curves = {run.name: validation_losses(run) for run in runs}
    found = {name: curve for name, curve in curves.items() if curve}
    if len(found) < 2:
        return
    st.subheader(page.say("overview.together"), anchor=False)
    if len(run_list.runs()) > len(found):
        st.caption(page.say("overview.pick", n=MOST_TOGETHER))
    st.plotly_chart(_figure(page, found), key="losses_together", theme=None, config={"displayModeBar": False})


def _figure(page: Page, curves: Mapping[str, tuple[list[int], list[float]]]) -> Figure:
    import plotly.graph_objects as go

    say, theme = page.say, page.theme
    figure: Figure = go.Figure()  # type: ignore[no-untyped-call]
    for place, (name, (steps, values)) in enumerate(curves.items()):
        # A logarithmic axis has no 0: step + 1 stands at the step's place. Names of runs hold nothing that Plotly reads as HTML.
        figure.add_scatter(
            x=[step + 1 for step in steps],
            y=values,
            name=name,
            mode="lines",
            line={"color": group_color(theme, place), "width": 2.5},
            customdata=[say.number(step) for step in steps],
            hovertemplate="%{y:.3f}",
        )
    last = max(steps[-1] for steps, _ in curves.values())
    at = sorted({0, last, *(10**n for n in range(1, len(str(last))) if 10**n < 0.5 * last)})
    axis = {"gridcolor": theme.line, "zeroline": False, "griddash": "dot", "linecolor": theme.line}
    figure.update_xaxes(
        **axis, type="log", title=say("slider.training_step"), tickvals=[step + 1 for step in at], hoverformat=",.0f"
    )
    figure.update_xaxes(ticktext=[say.number(step) for step in at], showgrid=False)
    figure.update_yaxes(**axis, title=say("views.loss"))
    figure.update_layout(
        height=330,
        margin={"l": 56, "r": 16, "t": 8, "b": 44},
        uirevision="losses",
        hovermode="x unified",
        hoverlabel={"bgcolor": theme.background, "bordercolor": theme.line},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor=theme.panel,
        font={"color": theme.text, "size": 14, "family": FONT},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        separators=",." if say.language == "pt" else ".,",
    )
    return figure


def _configuration(page: Page) -> None:
    with st.expander(page.say("overview.configuration"), icon=":material/tune:"):
        parts = [part for part in ("model", "training") if page.run.info.get(part)]
        for column, part in zip(st.columns(max(1, len(parts))), parts, strict=False):
            settings = {
                key: "" if value is None else str(value)
                for key, value in page.run.info[part].items()
                if not isinstance(value, dict)
            }
            names = page.say(f"overview.{part}"), page.say("overview.value")
            with column:
                st.dataframe(pd.DataFrame({names[0]: settings.keys(), names[1]: settings.values()}), hide_index=True)
        if not parts:
            st.caption(page.say("overview.none"))
