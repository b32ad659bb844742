"""Overview: the runs in a table, their losses together, and this run's texts and configuration under the slider."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import shelf, views
from dashboards.chrome import Page, growing_fragment, guarded, open_page, show_scene, tell
from dashboards.gather import metrics
from dashboards.theatre.scene import Series
from data.runs import Run
from viz.style import group_color

MOST_TOGETHER = 7


def show() -> None:
    """Draw the page."""
    page = open_page()
    growing_fragment(page)(lambda: guarded(lambda: _stage(page), page.say))()
    _table(page)
    _configuration(page)


def _stage(page: Page) -> None:
    facts(page)
    tell(defects(page), page.say)
    steps = [record["step"] for record in page.run.manifest()]
    if not steps:
        st.info(page.say("chrome.no_snapshots"))
        return
    panels = [views.loss(page, "loss"), views.sample(page, "sample")]
    show_scene(page, "overview", panels, '"loss sample" 1fr / 1fr 1fr', steps, least_px=300)


def facts(page: Page) -> None:
    """Show what the run is, in four numbers."""
    run, say = page.run, page.say
    info, measured, snapshots = run.info, metrics(run), run.manifest()
    columns = st.columns(4)
    columns[0].metric(say("overview.parameters"), say.number(info.get("parameters", 0)))
    columns[1].metric(say("overview.text"), info.get("corpus", {}).get("name") or say("overview.none"))
    growing = f" · {say('chrome.growing')}" if page.is_growing else ""
    columns[2].metric(say("overview.snapshots"), f"{say.number(len(snapshots))}{growing}")
    loss = measured[-1].get("val_loss_whole", measured[-1].get("val_loss")) if measured else None
    columns[3].metric(say("overview.val_loss"), say("overview.none") if loss is None else say.number(loss, 3))


def defects(page: Page) -> list[str]:
    """Name the snapshots whose files are missing or have another size; a whole check reads every byte, and the probes do it."""
    found = []
    for snapshot in page.run.snapshots():
        size = snapshot.path.stat().st_size if snapshot.path.is_file() else None
        if size != snapshot.bytes:
            found.append(page.say("overview.damaged", step=snapshot.step, defect=snapshot.defect()))
    return found


def _table(page: Page) -> None:
    say, runs = page.say, shelf.runs()
    st.subheader(say("overview.runs"))
    rows = [_row(run) for run in runs]
    names = {key: say(f"overview.{key}") for key in rows[0]}
    table = pd.DataFrame(rows).rename(columns=names)
    number = st.column_config.NumberColumn
    chosen = st.dataframe(
        table,
        hide_index=True,
        selection_mode="multi-row",
        on_select="rerun",
        key="runs_table",
        column_config={
            names["parameters"]: number(format="localized"),
            names["steps"]: number(format="localized"),
            names["val_loss"]: number(format="%.3f"),
            names["created"]: st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
    )
    picked = [runs[i] for i in chosen["selection"]["rows"] if i < len(runs)] or runs[:MOST_TOGETHER]
    _together(page, picked[:MOST_TOGETHER])


def _row(run: Run) -> dict[str, object]:
    info, measured = run.info, metrics(run)
    last = measured[-1] if measured else {}
    created = pd.to_datetime(info.get("created"), errors="coerce", utc=True)
    return {
        "run": run.name,
        "text": info.get("corpus", {}).get("name"),
        "parameters": info.get("parameters"),
        "steps": last.get("step"),
        "val_loss": last.get("val_loss_whole", last.get("val_loss")),
        "created": created,
    }


def _together(page: Page, runs: list[Run]) -> None:
    """Draw the validation losses of several runs on one axis, under a slider of their own steps."""
    series = []
    for place, run in enumerate(runs):
        found = [one for one in metrics(run) if one.get("val_loss") is not None]
        if found:
            series.append(
                Series(
                    run.name,
                    group_color(page.theme, place),
                    [one["step"] for one in found],
                    [one["val_loss"] for one in found],
                )
            )
    if len(series) < 2:
        return
    import plotly.graph_objects as go

    figure = go.Figure(layout=go.Layout(height=320, margin={"l": 50, "r": 10, "t": 10, "b": 40}, uirevision="losses"))
    for one in series:
        figure.add_scatter(
            x=list(one.steps), y=list(one.values), name=plain_name(one.name), line={"color": one.color, "width": 2.5}
        )
    figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor=page.theme.panel,
        font={"color": page.theme.text},
        legend={"orientation": "h", "y": 1.12},
    )
    figure.update_xaxes(title=page.say("slider.training_step"), gridcolor=page.theme.line, zeroline=False)
    figure.update_yaxes(title=page.say("views.loss"), gridcolor=page.theme.line, zeroline=False)
    st.plotly_chart(figure, key="losses_together", theme=None)


def plain_name(name: str) -> str:
    """Return a run's name for a Plotly legend, which reads some HTML; names hold no angle brackets, so they stand as they are."""
    return name


def _configuration(page: Page) -> None:
    with st.expander(page.say("overview.configuration")):
        for part in ("model", "training"):
            values = page.run.info.get(part)
            if not values:
                continue
            st.caption(page.say(f"overview.{part}"))
            rows = {
                key: "" if value is None else str(value) for key, value in values.items() if not isinstance(value, dict)
            }
            st.dataframe(pd.DataFrame({"": rows.keys(), " ": rows.values()}), hide_index=True)
