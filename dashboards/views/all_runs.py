"""All runs: their curves in one chart, and a table to filter, sort, pin, hide, colour and name them.

The browser filters, sorts and draws. The server sends the records of all runs, and the curves of those that are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboards import run_table
from dashboards.compute.run_records import RunRecord, curves, records
from dashboards.page import REFRESH_EVERY_S, Page, set_step
from dashboards.run_table import TableEvent
from dashboards.state import run_list
from dashboards.state.url import FIELDS as ALL_FIELDS
from dashboards.state.url import InvalidValueError, get_field, set_field, visits, write_address
from dashboards.widgets import escape_markdown, guarded
from data.errors import InputError
from data.runs import Run
from data.runs.labels import Label, read_label, write_label
from viz.drawing.theme import Theme, run_color
from viz.player.scene import FONT
from viz.player.serialization import to_json, with_version

FIELDS = ("filter", "sort", "pin", "hide", "curve", "along", "smoothing", "logs")
KEY = "all_runs"
MOST_DRAWN = 100
DRAWN_AT_FIRST = 30
N_COLORS = 14
"""After so many runs colours repeat; those after them would be too dark to tell apart."""
COLUMNS = {
    "run": "run",
    "val_loss": "loss",
    "val_loss_whole": "loss",
    "step": "integer",
    "text": "text",
    "parameters": "integer",
    "tokens": "integer",
    "seconds": "duration",
    "snapshots": "integer",
    "created": "date",
}
ASIDE = ("tokens", "seconds", "snapshots", "created")
"""Columns after the settings that differ."""


def show_all_runs(page: Page, fields: Sequence[str]) -> None:
    """Draw the table and its chart in a fragment; it reruns by itself while a run is in training. ``fields`` are those of the page."""

    def part() -> None:
        guarded(lambda: _draw(page, fields), page.say)

    is_live = any(record.is_live for record in records(run_list.runs()))
    st.fragment(part, run_every=REFRESH_EVERY_S if is_live else None)()


def _draw(page: Page, fields: Sequence[str]) -> None:
    if st.session_state.pop("opened_run", False):
        st.rerun()  # the whole page, which shows that run
    known = records(run_list.runs())
    if reason := st.session_state.pop("label_refused", None):
        st.toast(escape_markdown(page.say("runs.no_label", reason=reason)), icon=":material/error:")
    run_table.show(table_data(page, known, _drawn(known)), KEY, partial(_take, page))
    write_address(fields, has_slider=False)


def _drawn(known: Sequence[RunRecord]) -> list[str]:
    """Name the runs whose curves are sent: those that the browser draws; before it says which, the pinned ones and the newest."""
    hidden = get_field("hide")
    newest = [record.run.name for record in known if record.run.name not in hidden]
    at_first = list(dict.fromkeys([*get_field("pin"), *newest]))[:DRAWN_AT_FIRST]
    return list(st.session_state.get("drawn_runs") or at_first)


def _take(page: Page, event: TableEvent) -> None:
    """Take an event of the browser, before the page runs again, when its widgets may still be set."""
    by_name = {run.name: run for run in run_list.runs()}
    if event.fields and event.decision == str(visits()):  # else from before the address was read again
        _take_view(event)
    if event.opened in by_name:
        _open(str(event.opened))
    if run := by_name.get(event.labelled.get("run", "")):
        _take_label(page, run, event.labelled)


def _take_view(event: TableEvent) -> None:
    st.session_state["drawn_runs"] = event.drawn[:MOST_DRAWN]
    for name in FIELDS:
        try:
            text = event.fields.get(name, "")
            set_field(name, ALL_FIELDS[name].read(text) if text else None)
        except InvalidValueError:  # a longer text than an address may have
            continue


def _take_label(page: Page, run: Run, given: Mapping[str, str]) -> None:
    """Write the name and colour that a run was given; without a colour, it keeps the one that it had."""
    try:
        write_label(run, Label(given.get("name", ""), given.get("color") or read_label(run).color))
    except InputError as error:
        st.session_state["label_refused"] = page.say.error(error)
    except OSError as error:
        st.session_state["label_refused"] = error.strerror or type(error).__name__


def _open(name: str) -> None:
    st.session_state.update(run_choice=name, show_choice="run", opened_run=True)
    set_step(None)
    set_field("run", name)
    set_field("show", None)


def table_data(page: Page, known: Sequence[RunRecord], drawn: Sequence[str]) -> dict[str, Any]:
    """Build the JSON object of the table: its rows, the curves of the runs in ``drawn``, texts and colours."""
    settings, same = _settings(known)
    colors = run_colors([record.run for record in known], page.theme)
    found = {record.run.name: curves(record.run) for record in known if record.run.name in set(drawn)}
    return with_version(
        {
            "decision": str(visits()),
            "current": page.run.name,
            "theme": to_json(page.theme) | {"accent": page.theme.palette[1], "font": FONT},
            "language": page.say.tag,
            "words": dict(page.say.section("runs")),
            "columns": [_column(page, key) for key in COLUMNS],
            "settings": settings,
            "same": same,
            "rows": [
                {
                    "name": record.run.name,
                    "label": record.label.name,
                    "color": record.label.color or color,
                    "live": record.is_live,
                    "values": [*_values(record), *(record.settings.get(name) for name in settings)],
                }
                for record, color in zip(known, colors, strict=True)
            ],
            "measures": _measures(page, found.values()),
            "curves": {name: {"values": values} for name, values in found.items()},
            "view": {name: ALL_FIELDS[name].write(get_field(name)) for name in FIELDS},
        }
    )


def run_colors(newest_first: Sequence[Run], theme: Theme) -> list[str]:
    """Choose a colour for each run by its place in the order of their making, so that a new run changes no other's."""
    return [run_color(theme, i % N_COLORS) for i in range(len(newest_first))][::-1]


def _column(page: Page, key: str) -> dict[str, Any]:
    words = page.say.section("runs")
    names = [words[f"alias_{key}"], words[key].replace(" ", "_")]
    return {
        "key": key,
        "title": words[key],
        "kind": COLUMNS[key],
        "names": names,
        "help": words.get(f"{key}_help", ""),
        "isAside": key in ASIDE,
    }


def _values(record: RunRecord) -> list[Any]:
    return [record.run.name if key == "run" else getattr(record, key) for key in COLUMNS]


def _settings(known: Sequence[RunRecord]) -> tuple[list[str], list[tuple[str, Any]]]:
    """Split the settings: the names of those in which runs differ, and those that are the same in all, with their value."""
    names = dict.fromkeys(name for record in known for name in record.settings)
    differing = [name for name in names if len({_comparable(record.settings.get(name)) for record in known}) > 1]
    first = known[0].settings if known else {}
    return differing, [(name, first[name]) for name in names if name not in set(differing)]


def _comparable(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value  # True equals 1


def _measures(page: Page, found: Any) -> list[dict[str, str]]:
    """Name what the drawn runs have measured; the validation loss comes first, and steps and times are axes."""
    words = page.say.section("runs")
    names = dict.fromkeys(["val_loss", *(name for values in found for name in values)])
    return [
        {"key": name, "title": words.get(f"curve_{name}", name)}
        for name in names
        if name not in ("step", "seconds", "threads")
    ]
