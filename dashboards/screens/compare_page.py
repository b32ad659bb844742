"""Compare: two runs side by side under one slider. Each shows its last snapshot at or before the step of the slider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd
import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.forms.group_form import find_groups, highlight_lassoed
from dashboards.forms.prompt_form import ask_prompt, read_prompt
from dashboards.page import REFRESH_EVERY_S, Page, open_page, show_scene, validation_losses
from dashboards.player import Events
from dashboards.screens import attention_page, embeddings_page
from dashboards.state import run_list
from dashboards.state.url import get_field, set_field, set_initial_value
from dashboards.views import run_panels
from dashboards.views.awaited import await_jobs
from dashboards.views.layouts import find_layout, request_layout
from dashboards.views.live_panels import await_measure
from dashboards.widgets import ask_option, cleared_place, escape_markdown, guarded, show_notes
from data.runs import Run
from viz.drawing.theme import run_color
from viz.films.side_by_side import shared_labels, turned_onto
from viz.player.panels import Curves, HeadTimeline, Panel, Series

VIEWS = ("embeddings", "attention", "heads", "text")
FIELDS = ("with", "view")
SIDES = ("left", "right")
COLUMNS = '"left right" 7fr "loss loss" minmax(150px, 2fr) / 1fr 1fr'
COLUMNS_OF_TEXT = '"left right" 1fr "loss loss" 1fr / 1fr 1fr'
# The parts of a run's record in which two runs may differ.
RECORDED = ("parameters", "model", "training", "corpus")


class Pair(NamedTuple):
    """The page of each of two runs."""

    left: Page
    right: Page


def show() -> None:
    """Draw the page."""
    page = open_page()
    other = choose_other(page)
    if other is None:
        return
    pair = Pair(page, replace(page, run=other))
    guarded(lambda: _draw(pair), page.say)
    guarded(lambda: _differences(pair), page.say)


def choose_other(page: Page) -> Run | None:
    """Ask in the sidebar for the second run; without another run, say how to train one and return None."""
    say, others = page.say, [run for run in run_list.runs() if run.name != page.run.name]
    if not others:
        st.info(say("compare.one_run"), icon=":material/compare:")
        st.code("python -m trainer --preset cpu --run another --seed 2", language="bash")
        return None
    names = [run.name for run in others]
    usual = names.index(most_alike(page.run, others).name)
    wanted = _run_of_address(page, names, names[usual])
    set_initial_value(f"with_choice {page.run.name}", wanted or names[usual], names)
    with st.sidebar:
        chosen = st.selectbox(say("compare.with"), names, key=f"with_choice {page.run.name}")
    set_field("with", chosen)
    st.session_state["compared"] = (page.run.name, chosen)
    return others[names.index(chosen)]


def _run_of_address(page: Page, names: Sequence[str], usual: str) -> str | None:
    """Return the second run that the address names; if there is none of that name, say which run is shown."""
    wanted: str | None = get_field("with")
    before = st.session_state.get("compared", (None, None))
    if wanted == page.run.name and before[1] == wanted and before[0] in names:
        return str(before[0])  # the second run was chosen as the first: they swap places
    if wanted is None or wanted in names:
        return wanted
    key = "compare.same" if wanted == page.run.name else "page.no_such_run"
    st.warning(escape_markdown(page.say(key, name=wanted, other=usual, run=page.run.name)), icon=":material/link_off:")
    return None


def most_alike(run: Run, others: Sequence[Run]) -> Run:
    """Find the run whose recorded settings differ least, the newest of several."""
    mine = _settings(run)

    def likeness(other: Run) -> int:
        theirs = _settings(other)
        same_symbols = other.info.get("tokenizer") == run.info.get("tokenizer")
        return 1000 * same_symbols + sum(mine.get(name) == value for name, value in theirs.items())

    return max(others, key=likeness)


def _draw(pair: Pair) -> None:
    say = pair.left.say
    with st.sidebar:
        view = ask_option("view", say("compare.view"), say.names("compare", *VIEWS))
        draw = {"embeddings": _embeddings, "attention": _attention, "heads": _heads, "text": _text}[view](pair)
    is_live = any(page.is_live for page in pair)
    st.fragment(lambda: guarded(draw, say), run_every=REFRESH_EVERY_S if is_live else None)()


def _embeddings(pair: Pair) -> Callable[[], None]:
    form = embeddings_page.ask_layout(pair.left)
    st.caption(pair.left.say("compare.rotated_help"))

    def draw() -> None:
        first, second = (_trajectory(page, form) for page in pair)
        shown = [
            find_layout(page, table, form.choice, side)
            for page, table, side in zip(pair, (first, second), SIDES, strict=True)
        ]
        if shown[0].choice != shown[1].choice:  # two methods cannot be compared: both are PCA until both are computed
            shown = [one.by_pca(page, table) for one, page, table in zip(shown, pair, (first, second), strict=True)]
        layout, beside = (one.layout for one in shown)
        n_shared = len(shared_labels(beside, layout))
        if n_shared > form.axes and beside.sizes["axis"] == layout.sizes["axis"]:
            beside = turned_onto(beside, layout)
        title = f"{pair.left.run.name}: {embeddings_page.title_of(pair.left, shown[0].choice, first)}"
        titles = title, _title_beside(pair, form, n_shared, (first, second))
        panels = []
        for page, side, title, table, points in zip(
            pair, SIDES, titles, (first, second), (layout, beside), strict=True
        ):
            # The same note is not shown twice.
            groups = find_groups(page, form.groups, queries.labels_of(table), with_notes=side == "left")
            near = queries.all_neighbours(page.computation, page.run, table, form.metric)
            steps = queries.steps_of(table)
            panels.append(
                run_panels.scatter(page, side, title, table, points, groups=groups, neighbours=near, steps=steps)
            )
        panels = [replace(panel, pending=one.pending) for panel, one in zip(panels, shown, strict=True)]
        events = _show(pair, panels, embeddings_page.FIELDS, (queries.steps_of(first), queries.steps_of(second)))
        await_jobs([one.awaited for one in shown if one.awaited])
        for page, table, side in zip(pair, (first, second), SIDES, strict=True):
            if side in (events.cancelled, events.started):
                request_layout(page, table, form.choice, is_wanted=events.started is not None)
        lassoed = second if events.panel == "right" else first
        highlight_lassoed(queries.labels_of(lassoed), events.selected)

    return draw


def _trajectory(page: Page, form: embeddings_page.EmbeddingsForm) -> xr.DataArray:
    table = queries.table(page.computation, page.run, form.what)
    show_notes(table.notes, page.say)
    return embeddings_page.requested_snapshots(page, form, table.value)


def _title_beside(
    pair: Pair, form: embeddings_page.EmbeddingsForm, n_shared: int, tables: tuple[xr.DataArray, xr.DataArray]
) -> str:
    """Write the title of the second picture: whether it was rotated onto the first, and by how many items."""
    say, what = pair.left.say, pair.left.say(f"embeddings.{form.what}")
    is_same = all(n_shared == table.shape[1] for table in tables)
    key = "apart" if n_shared <= form.axes else "rotated" if is_same else "rotated_shared"
    return say(f"compare.{key}", other=pair.right.run.name, run=pair.left.run.name, n=say.number(n_shared), what=what)


def _attention(pair: Pair) -> Callable[[], None]:
    prompt = attention_page.read_short_prompt(pair.left, ask_prompt(pair.left), pair.right.run)
    # Symbols that only the second run cannot read are left out for it alone, and named.
    prompts = prompt, read_prompt(pair.right, prompt).text

    def draw() -> None:
        chosen = attention_page.chosen_head(pair.left)
        with cleared_place() as place:
            maps = [attention_page.maps_of(page, text, place) for page, text in zip(pair, prompts, strict=True)]
        show_notes([note for found in maps for note in found.notes], pair.left.say)
        panels = [
            run_panels.attention(page, side, found.value, chosen, title=page.run.name, steps=list(found.value.steps))
            for page, side, found in zip(pair, SIDES, maps, strict=True)
        ]
        fields = ("prompt", "layer", "head")
        events = _show(pair, panels, fields, [found.value.steps for found in maps])
        attention_page.choose_head(events.head, (*FIELDS, *fields))

    return draw


def _heads(pair: Pair) -> Callable[[], None]:
    score = attention_page.ask_score(pair.left)
    for page in pair:
        await_measure(page, "heads", "attention.scoring")

    def draw() -> None:
        title = attention_page.title_of(pair.left, score)
        panels = [
            attention_page.scores_panel(page, score, None, area=side, title=f"{page.run.name}: {title}")
            for page, side in zip(pair, SIDES, strict=True)
        ]
        # One colour scale, so that equal values have the same colour.
        high = max((panel.high for panel in panels if isinstance(panel, HeadTimeline)), default=1.0)
        panels = [replace(panel, high=high) if isinstance(panel, HeadTimeline) else panel for panel in panels]
        _show(pair, panels, ("score",), [run_list.snapshot_steps(page.run) for page in pair])

    return draw


def _text(pair: Pair) -> Callable[[], None]:
    def draw() -> None:
        panels = [
            replace(run_panels.sample(page, side), title=f"{page.run.name}: {page.say('views.sample')}")
            for page, side in zip(pair, SIDES, strict=True)
        ]
        _show(pair, panels, (), [run_list.snapshot_steps(page.run) for page in pair], COLUMNS_OF_TEXT)

    return draw


def _show(
    pair: Pair, panels: Sequence[Panel], fields: Sequence[str], steps: Sequence[Sequence[int]], columns: str = COLUMNS
) -> Events:
    """Show two panels and the losses below under a slider that stops at the snapshots of both."""
    union = sorted({int(step) for some in steps for step in some})
    if not union:
        st.info(pair.left.say("page.no_snapshots"))
        return Events()
    shown = [*panels, _losses(pair)]
    return show_scene(pair.left, "compare", shown, columns, union, fields=(*FIELDS, *fields), least_px=540)


def _losses(pair: Pair) -> Curves:
    series = []
    for place, page in enumerate(pair):
        steps, losses = validation_losses(page) or ([], [])
        series.append(Series(page.run.name, run_color(page.theme, place), steps, losses))
    return Curves("loss", "loss", pair.left.say("compare.losses"), series=series)


def _differences(pair: Pair) -> None:
    """List the settings in which the two runs differ."""
    say = pair.left.say
    mine, theirs = (_settings(page.run) for page in pair)
    names = [name for name in dict.fromkeys([*mine, *theirs]) if mine.get(name) != theirs.get(name)]
    with st.expander(say("compare.differences")):
        if not names:
            st.caption(say("compare.no_differences"))
            return
        columns = {say("compare.setting"): names}
        for page, settings in zip(pair, (mine, theirs), strict=True):
            columns[page.run.name] = [settings.get(name, "–") for name in names]
        st.dataframe(pd.DataFrame(columns), hide_index=True)


def _settings(run: Run) -> dict[str, str]:
    """List the recorded settings of a run as texts."""
    found: dict[str, str] = {}
    for part in RECORDED:
        setting = run.info.get(part)
        if isinstance(setting, dict):
            plain = {name: value for name, value in setting.items() if not isinstance(value, dict)}
            found |= {f"{part}: {name}": "–" if value is None else str(value) for name, value in plain.items()}
        elif setting is not None:
            found[part] = str(setting)
    return found
