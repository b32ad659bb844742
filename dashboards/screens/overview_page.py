"""Overview: a run with its losses and samples under the slider and its configuration, or all runs in a table with their curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape

import streamlit as st

from dashboards.compute.record_queries import metrics
from dashboards.compute.run_records import finite
from dashboards.page import Page, open_page, show_live, show_scene
from dashboards.state import run_list
from dashboards.state.url import get_field, set_field, set_initial_value
from dashboards.views import all_runs, record_panels
from dashboards.views.awaited import follow
from dashboards.views.live_panels import ask_zero_shot, zero_shot_panel
from dashboards.widgets import escape_markdown, guarded, show_notes
from data.printing import visible
from data.runs.card import count_copies
from data.runs.names import architecture
from viz.player.panels import Panel, Samples

FIELDS = ("ask", "show", *all_runs.FIELDS)
HEIGHT_PX = 340
BARE_HEIGHT_PX = 90
"""Height of the panels of a model without losses and texts, which hold a sentence."""


def show() -> None:
    """Draw the page."""
    page = open_page()
    if _ask_what_to_show(page) == "runs":
        all_runs.show_all_runs(page, [*FIELDS, "step", "scale"])
        return
    with st.sidebar:
        with_zero_shot = ask_zero_shot(page)
    show_live(page, lambda: _draw(page, with_zero_shot))
    guarded(lambda: _configuration(page), page.say)


def _ask_what_to_show(page: Page) -> str:
    """Ask whether to show this run or all of them; a single run leaves nothing to ask."""
    n_runs = len(run_list.runs())
    if n_runs < 2:
        return "run"
    names = {"run": page.say("overview.show_run"), "runs": page.say.count("overview.show_runs", n_runs)}
    set_initial_value("show_choice", get_field("show"))
    chosen = st.segmented_control(
        page.say("overview.show"),
        list(names),
        format_func=names.__getitem__,
        key="show_choice",
        required=True,
        label_visibility="collapsed",
    )
    set_field("show", chosen)
    return str(chosen)


def _draw(page: Page, with_zero_shot: bool) -> None:
    facts(page)
    show_notes(defects(page), page.say)
    steps = run_list.snapshot_steps(page.run)
    if not steps:
        st.info(page.say("page.no_snapshots"), icon=":material/hourglass_empty:")
        return
    has_losses = bool(metrics(page.computation, page.run))  # an imported model has none
    sample = _sample(page)
    panels: list[Panel] = [record_panels.loss(page)] if has_losses else []
    measured = [zero_shot_panel(page)] if with_zero_shot else []
    panels += [*(one.panel for one in measured), sample]
    areas = f'"{" ".join(panel.area for panel in panels)}" 1fr / {" ".join(["1fr"] * len(panels))}'
    height = HEIGHT_PX if len(panels) > 1 or sample.texts else BARE_HEIGHT_PX
    events = show_scene(page, "overview", panels, areas, steps, fields=FIELDS, least_px=height, most_px=height)
    follow([one.line for one in measured], events)


def _sample(page: Page) -> Samples:
    """Build the panel of sampled texts; of a model that was not trained here, it says why there are neither losses nor texts."""
    panel = record_panels.sample(page, history=True)
    is_bare = not panel.texts and not metrics(page.computation, page.run)
    return replace(panel, empty=page.say("overview.no_records")) if is_bare and not page.is_live else panel


def facts(page: Page) -> None:
    """Show four facts about the run, each with a line that explains it."""
    run, say = page.run, page.say
    info, steps = run.info, run_list.snapshot_steps(run)
    corpus, live = info.get("corpus") or {}, say("page.live") if page.is_live else ""
    span = say("overview.span", first=say.number(steps[0]), last=say.number(steps[-1])) if steps else ""
    copies = say.count("overview.copies", count_copies(info)) if count_copies(info) else ""
    span = say.step(run, 0) if run.step_attrs else span
    shown = (
        ("parameters", say.number(info.get("parameters", 0)), shape(page)),
        ("text", escape_markdown(str(corpus.get("name") or say("overview.none"))), _length(page)),
        ("snapshots", say.number(len(steps)), " · ".join(part for part in (span, copies, live) if part)),
        _loss(page),
    )
    for column, (name, value, line) in zip(st.columns(4), shown, strict=True):
        with column.container(gap=None):
            st.metric(say(f"overview.{name}"), value)
            st.caption(escape_markdown(line) or "&nbsp;")  # always one line, so that nothing below moves


def shape(page: Page) -> str:
    """Describe the size of the model, as far as the run records it."""
    model = page.run.info.get("model") or {}
    parts = [
        page.say.count(f"overview.{name}", int(model[name]))
        for name in ("n_layer", "n_head", "n_embd")
        if isinstance(model.get(name), int)
    ]
    name = architecture(page.run.info)
    return " · ".join([name, *parts] if name not in ("", "GPT") else parts)


def _length(page: Page) -> str:
    corpus, model = page.run.info.get("corpus") or {}, page.run.info.get("model") or {}
    characters, symbols = corpus.get("characters"), model.get("vocab_size")
    parts = [page.say.count("overview.characters", characters)] if characters else []
    parts += [page.say.count("overview.symbols", symbols)] if symbols else []
    return " · ".join(parts)


def _loss(page: Page) -> tuple[str, str, str]:
    """Choose the validation loss to show, that of the whole split if it was measured: its name, its value, and the other's."""
    say, measured = page.say, metrics(page.computation, page.run)
    last = measured[-1] if measured else {}
    whole, sample = finite(last.get("val_loss_whole")), finite(last.get("val_loss"))
    first = finite(measured[0].get("val_loss")) if len(measured) > 1 else None
    parts = (
        [say("overview.sample_loss", loss=say.number(sample, 3))] if whole is not None and sample is not None else []
    )
    parts += [say("overview.fall", loss=say.number(first, 2))] if first is not None else []
    name, value = ("val_loss", sample) if whole is None else ("val_loss_whole", whole)
    return name, say("overview.not_measured") if value is None else say.number(value, 3), ", ".join(parts)


def defects(page: Page) -> list[str]:
    """List the snapshots whose files are missing or have another size. Only the probes read every byte."""
    found = []
    for snapshot in page.run.snapshots():
        size = snapshot.path.stat().st_size if snapshot.path.is_file() else None
        if size != snapshot.bytes:
            found.append(page.say("overview.damaged", step=snapshot.step, defect=snapshot.defect()))
    return found


def _configuration(page: Page) -> None:
    with st.expander(page.say("overview.configuration"), icon=":material/tune:"):
        parts = [part for part in ("model", "training") if page.run.info.get(part)]
        for column, part in zip(st.columns(max(1, len(parts))), parts, strict=False):
            settings = {
                key: "–" if value is None else visible(str(value))
                for key, value in page.run.info[part].items()
                if not isinstance(value, dict)
            }
            names = page.say(f"overview.{part}"), page.say("overview.value")
            column.html(_table(names, settings))
        if not parts:
            st.caption(page.say("overview.none"))


def _table(names: tuple[str, str], rows: Mapping[str, str]) -> str:
    """Write a table of two columns as HTML; names and values are escaped."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    # Settings have the names that they have on the command line, in every language.
    body = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td><code>{escape(value)}</code></td></tr>'
        for name, value in rows.items()
    )
    return f'<table class="settings"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
