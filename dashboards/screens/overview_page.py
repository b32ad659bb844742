"""Overview: losses and samples of a run under the slider, all runs in a table with their losses in one chart, and the configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboards.compute.queries import metrics
from dashboards.page import Page, open_page, show_live, show_scene, validation_losses
from dashboards.state import run_list
from dashboards.views import run_panels
from dashboards.views.live_panels import ask_zero_shot, zero_shot_panel
from dashboards.views.losses_chart import losses_chart
from dashboards.widgets import escape_markdown, guarded, show_notes
from data.runs import Run
from data.runs.card import count_copies
from data.runs.names import architecture

FIELDS = ("ask",)
MOST_TOGETHER = 7
MOST_ROWS = 8
HEIGHT_PX = 340


def show() -> None:
    """Draw the page."""
    page = open_page()
    with st.sidebar:
        with_zero_shot = ask_zero_shot(page)
    show_live(page, lambda: _draw(page, with_zero_shot))
    guarded(lambda: _table(page), page.say, "notes_of_runs")
    guarded(lambda: _configuration(page), page.say)


def _draw(page: Page, with_zero_shot: bool) -> None:
    facts(page)
    show_notes(defects(page), page.say)
    steps = run_list.snapshot_steps(page.run)
    if not steps:
        st.info(page.say("page.no_snapshots"), icon=":material/hourglass_empty:")
        return
    panels = [run_panels.loss(page), run_panels.sample(page, history=True)]
    columns = '"loss sample" 1fr / 1fr 1fr'
    if with_zero_shot:
        panels.append(zero_shot_panel(page))
        columns = '"loss next_line sample" 1fr / 1fr 1fr 1fr'
    show_scene(page, "overview", panels, columns, steps, fields=FIELDS, least_px=HEIGHT_PX, most_px=HEIGHT_PX)


def facts(page: Page) -> None:
    """Show four facts about the run, each with a line that explains it."""
    run, say = page.run, page.say
    info, measured, steps = run.info, metrics(page.computation, run), run_list.snapshot_steps(run)
    corpus, live = info.get("corpus") or {}, say("page.live") if page.is_live else ""
    loss = measured[-1].get("val_loss_whole", measured[-1].get("val_loss")) if measured else None
    span = say("overview.span", first=say.number(steps[0]), last=say.number(steps[-1])) if steps else ""
    copies = say("overview.copies", n=say.number(count_copies(info))) if count_copies(info) else ""
    span = say.step(run, 0) if run.step_attrs else span
    shown = (
        ("parameters", say.number(info.get("parameters", 0)), shape(page)),
        ("text", escape_markdown(str(corpus.get("name") or say("overview.none"))), _length(page)),
        ("snapshots", say.number(len(steps)), " · ".join(part for part in (span, copies, live) if part)),
        ("val_loss", say("overview.none") if loss is None else say.number(loss, 3), _fall(page, measured)),
    )
    for column, (name, value, line) in zip(st.columns(4), shown, strict=True):
        with column.container(gap=None):
            st.metric(say(f"overview.{name}"), value)
            st.caption(escape_markdown(line) or "&nbsp;")  # always one line, so that nothing below moves


def shape(page: Page) -> str:
    """Describe the size of the model, as far as the run records it."""
    model = page.run.info.get("model") or {}
    parts = [
        page.say(f"overview.{name}", n=page.say.number(int(model[name])))
        for name in ("n_layer", "n_head", "n_embd")
        if isinstance(model.get(name), int)
    ]
    name = architecture(page.run.info)
    return " · ".join([name, *parts] if name not in ("", "GPT") else parts)


def _length(page: Page) -> str:
    corpus, model = page.run.info.get("corpus") or {}, page.run.info.get("model") or {}
    characters, symbols = corpus.get("characters"), model.get("vocab_size")
    parts = [page.say("overview.characters", n=page.say.number(characters))] if characters else []
    parts += [page.say("overview.symbols", n=page.say.number(symbols))] if symbols else []
    return " · ".join(parts)


def _fall(page: Page, measured: list[dict[str, Any]]) -> str:
    first = measured[0].get("val_loss") if len(measured) > 1 else None
    return page.say("overview.fall", loss=page.say.number(first, 2)) if first is not None else ""


def defects(page: Page) -> list[str]:
    """List the snapshots whose files are missing or have another size. Only the probes read every byte."""
    found = []
    for snapshot in page.run.snapshots():
        size = snapshot.path.stat().st_size if snapshot.path.is_file() else None
        if size != snapshot.bytes:
            found.append(page.say("overview.damaged", step=snapshot.step, defect=snapshot.defect()))
    return found


def _table(page: Page) -> None:
    """List the runs, and draw the losses of those that are selected, or of the newest few, in one chart."""
    say, runs = page.say, run_list.runs()
    st.subheader(say("overview.runs"), anchor=False)
    rows = [_row(page, run) for run in runs]
    names = {key: say(f"overview.{key}") for key in rows[0]}
    number = st.column_config.NumberColumn
    chosen = st.dataframe(
        pd.DataFrame(rows).rename(columns=names),
        hide_index=True,
        selection_mode="multi-row",
        on_select="rerun",
        key=f"runs_table {' '.join(run.name for run in runs)}",  # a selection is of rows, which a new run would move
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


def _row(page: Page, run: Run) -> dict[str, object]:
    info, measured = run.info, metrics(page.computation, run)
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
    """Draw the validation losses of several runs in one chart."""
    curves = {run.name: validation_losses(replace(page, run=run)) for run in runs}
    found = {name: curve for name, curve in curves.items() if curve}
    if len(found) < 2:
        return
    st.subheader(page.say("overview.together"), anchor=False)
    if len(run_list.runs()) > len(found):
        st.caption(page.say("overview.pick", n=MOST_TOGETHER))
    title = page.say("overview.together")
    st.vega_lite_chart(spec=losses_chart(page, found), key="losses_together", theme=None, alt=title)


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
