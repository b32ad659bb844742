"""Compare: two runs side by side under one slider. Each shows the last snapshot it has at or before the slider's step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.forms.prompt_form import ask_prompt, read_prompt
from dashboards.page import (
    REFRESH_EVERY_S,
    Page,
    ask_option,
    escape_markdown,
    guarded,
    open_page,
    show_notes,
    show_scene,
)
from dashboards.player import Events
from dashboards.screens import attention_page, embeddings_page
from dashboards.state import run_list
from dashboards.state.url import get_field, set_field, set_initial_value
from dashboards.views import run_panels
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import Group, highlight
from viz.drawing.theme import group_color
from viz.films.side_by_side import shared_labels, turned_onto
from viz.player import Curves, HeadTimeline, Panel
from viz.player.panels import Series
from viz.projection.projector import METHODS

VIEWS = ("embeddings", "attention", "scores", "text")
FIELDS = ("with", "view")
SIDES = ("left", "right")
COLUMNS = '"left right" 7fr "loss loss" minmax(150px, 2fr) / 1fr 1fr'
COLUMNS_OF_TEXT = '"left right" 1fr "loss loss" 1fr / 1fr 1fr'
# What a run's record says that tells it from another of the same kind.
RECORDED = ("parameters", "model", "training", "corpus")


@dataclass(frozen=True)
class Pair:
    """The page of each of two runs."""

    left: Page
    right: Page

    @property
    def pages(self) -> tuple[Page, Page]:
        return self.left, self.right


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
    """Ask in the sidebar for the run beside; None where there is no other, which is told."""
    say, others = page.say, [run for run in run_list.runs() if run.name != page.run.name]
    if not others:
        st.info(say("compare.one_run"), icon=":material/compare:")
        st.code("python -m trainer --preset cpu --run another --seed 2", language="bash")
        return None
    names = [run.name for run in others]
    usual = names.index(most_alike(page.run, others).name)
    wanted = _wanted(page, names, names[usual])
    set_initial_value(f"with_choice {page.run.name}", wanted or names[usual], names)
    with st.sidebar:
        chosen = st.selectbox(say("compare.with"), names, key=f"with_choice {page.run.name}")
    set_field("with", chosen)
    st.session_state["compared"] = (page.run.name, chosen)
    return others[names.index(chosen)]


def _wanted(page: Page, names: Sequence[str], usual: str) -> str | None:
    """Return the run that the address names, if it is there and another; else say what is shown."""
    wanted: str | None = get_field("with")
    before = st.session_state.get("compared", (None, None))
    if wanted == page.run.name and before[1] == wanted and before[0] in names:
        return str(before[0])  # the second was chosen to be the first: they change places
    if wanted is None or wanted in names:
        return wanted
    key = "compare.same" if wanted == page.run.name else "page.no_such_run"
    st.warning(escape_markdown(page.say(key, name=wanted, other=usual, run=page.run.name)), icon=":material/link_off:")
    return None


def most_alike(run: Run, others: Sequence[Run]) -> Run:
    """Return the run that differs least in what is recorded, the newest of those."""
    mine = _settings(run)

    def likeness(other: Run) -> int:
        theirs = _settings(other)
        same_symbols = other.info.get("tokenizer") == run.info.get("tokenizer")
        return 1000 * same_symbols + sum(mine.get(name) == value for name, value in theirs.items())

    return max(others, key=likeness)


def _draw(pair: Pair) -> None:
    say = pair.left.say
    with st.sidebar:
        view = ask_option("view", say("compare.view"), list(VIEWS), lambda name: say(f"compare.{name}"))
        stage = {"embeddings": _embeddings, "attention": _attention, "scores": _scores, "text": _text}[view](pair)
    grows = any(page.is_live for page in pair.pages)
    st.fragment(lambda: guarded(stage, say), run_every=REFRESH_EVERY_S if grows else None)()


def _embeddings(pair: Pair) -> Callable[[], None]:
    view = embeddings_page.choose(pair.left)
    st.caption(pair.left.say("compare.turned_help"))

    def stage() -> None:
        found = [_laid_out(page, view) for page in pair.pages]
        drawn = [one for one in found if one is not None]
        if len(drawn) < len(found):
            return
        (first, layout), (second, beside) = drawn
        layouts, titles = (layout, beside), [f"{pair.left.run.name}: {_what(pair.left, view, first)}"]
        n_shared = len(shared_labels(beside, layout))
        if n_shared > view.axes:
            layouts = (layout, turned_onto(beside, layout))
        titles.append(_title_beside(pair, view, n_shared, (first, second)))
        panels: list[Panel] = []
        for page, side, title, table, where in zip(pair.pages, SIDES, titles, (first, second), layouts, strict=True):
            near = queries.all_neighbours(page.run, table, view.metric)
            groups = _groups(page, view.groups, table, told=side == "left")
            steps = queries.steps_of(table)
            panels.append(run_panels.scatter(page, side, title, table, where, groups, near, id=side, steps=steps))
        events = _show(pair, panels, embeddings_page.FIELDS, (queries.steps_of(first), queries.steps_of(second)))
        labels = _labels(second if events.panel == "right" else first)
        embeddings_page.highlight_lassoed(labels, events.selected)

    return stage


def _laid_out(page: Page, view: embeddings_page.EmbeddingsForm) -> tuple[xr.DataArray, xr.Dataset] | None:
    table = queries.table(page.run, view.what)
    show_notes(table.notes, page.say)
    trajectory = embeddings_page.settled(page, view, table.value)
    layout = embeddings_page.laid_out(page, trajectory, view)
    return None if layout is None else (trajectory, layout)


def _what(page: Page, view: embeddings_page.EmbeddingsForm, trajectory: xr.DataArray) -> str:
    return page.say(f"embeddings.title_{view.what}", dim=trajectory.sizes["dim"], method=METHODS[view.method])


def _title_beside(
    pair: Pair, view: embeddings_page.EmbeddingsForm, n_shared: int, tables: tuple[xr.DataArray, xr.DataArray]
) -> str:
    """Say what the second picture is: turned onto the first, by which items, or as it came."""
    say, what = pair.left.say, pair.left.say(f"embeddings.{view.what}")
    is_same = all(n_shared == table.shape[1] for table in tables)
    key = "apart" if n_shared <= view.axes else "turned" if is_same else "turned_shared"
    return say(f"compare.{key}", other=pair.right.run.name, run=pair.left.run.name, n=say.number(n_shared), what=what)


def _labels(table: xr.DataArray) -> list[str]:
    return [str(label) for label in table[table.dims[1]].values]


def _groups(page: Page, wanted: Sequence[str], table: xr.DataArray, *, told: bool) -> list[Group]:
    """Return the highlighted groups of one run; a mistake is told once, not for both."""
    if told:
        return embeddings_page.found_groups(page, wanted, _labels(table))
    found = []
    for name in wanted:
        try:
            found.append(highlight(name, _labels(table)))
        except InputError:
            continue
    return found


def _attention(pair: Pair) -> Callable[[], None]:
    prompt = attention_page.limited(pair.left, ask_prompt(pair.left), pair.right.run)
    # What the second cannot read is left out for it alone, and told, too.
    prompts = prompt, read_prompt(pair.right, prompt).text

    def stage() -> None:
        chosen, place = attention_page.chosen_head(pair.left), st.empty()
        try:
            maps = [attention_page.maps_of(page, text, place) for page, text in zip(pair.pages, prompts, strict=True)]
        finally:
            place.empty()
        show_notes([note for found in maps for note in found.notes], pair.left.say)
        panels = [
            run_panels.attention(
                page, side, found.value, chosen, id=side, title=page.run.name, steps=list(found.value.steps)
            )
            for page, side, found in zip(pair.pages, SIDES, maps, strict=True)
        ]
        fields = ("prompt", "layer", "head")
        events = _show(pair, panels, fields, [found.value.steps for found in maps])
        attention_page.hear_head(events.head, (*FIELDS, *fields))

    return stage


def _scores(pair: Pair) -> Callable[[], None]:
    score = attention_page.ask_score(pair.left)
    for page in pair.pages:
        attention_page.await_scores(page)

    def stage() -> None:
        title = attention_page.title_of(pair.left, score)
        panels = [
            attention_page.scores_panel(page, score, None, id=side, title=f"{page.run.name}: {title}")
            for page, side in zip(pair.pages, SIDES, strict=True)
        ]
        # One scale of colours, so that like values look alike.
        high = max((panel.high for panel in panels if isinstance(panel, HeadTimeline)), default=1.0)
        panels = [replace(panel, high=high) if isinstance(panel, HeadTimeline) else panel for panel in panels]
        _show(pair, panels, ("score",), [_snapshots(page.run) for page in pair.pages])

    return stage


def _text(pair: Pair) -> Callable[[], None]:
    def stage() -> None:
        panels = [
            replace(run_panels.sample(page, side), id=side, title=f"{page.run.name}: {page.say('views.sample')}")
            for page, side in zip(pair.pages, SIDES, strict=True)
        ]
        _show(pair, panels, (), [_snapshots(page.run) for page in pair.pages], COLUMNS_OF_TEXT)

    return stage


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
    for place, page in enumerate(pair.pages):
        found = [one for one in queries.metrics(page.run) if one.get("val_loss") is not None]
        steps, values = [one["step"] for one in found], [one["val_loss"] for one in found]
        series.append(Series(page.run.name, group_color(page.theme, place), steps, values))
    return Curves("loss", "loss", pair.left.say("compare.losses"), series=series)


def _snapshots(run: Run) -> list[int]:
    return [int(record["step"]) for record in run.manifest()]


def _differences(pair: Pair) -> None:
    """List the settings in which the two runs differ."""
    say = pair.left.say
    mine, theirs = (_settings(page.run) for page in pair.pages)
    names = [name for name in dict.fromkeys([*mine, *theirs]) if mine.get(name) != theirs.get(name)]
    with st.expander(say("compare.differences")):
        if not names:
            st.caption(say("compare.no_differences"))
            return
        columns = {say("compare.setting"): names}
        for page, settings in zip(pair.pages, (mine, theirs), strict=True):
            columns[page.run.name] = [settings.get(name, "–") for name in names]
        st.dataframe(pd.DataFrame(columns), hide_index=True)


def _settings(run: Run) -> dict[str, str]:
    """Return what a run's record says of it, flat, as text."""
    found: dict[str, str] = {}
    for part in RECORDED:
        said = run.info.get(part)
        if isinstance(said, dict):
            found |= {f"{part}: {name}": str(value) for name, value in said.items() if not isinstance(value, dict)}
        elif said is not None:
            found[part] = str(said)
    return found
