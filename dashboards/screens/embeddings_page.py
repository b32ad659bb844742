"""Embeddings: the tokens or positions as points that move with the slider, and how far their picture may be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.compute.background_jobs import LOOK_EVERY_S, BackgroundJob
from dashboards.compute.result_cache import Result
from dashboards.forms.group_form import MOST_CHARACTERS, MOST_GROUPS, group_of, parted, place_of, written
from dashboards.page import Page, ask_option, guarded, live_fragment, open_page, show_notes, show_scene, translation
from dashboards.state.url import get_field, is_new_event, set_field, set_initial_value
from dashboards.views import measure_panels, run_panels
from data.errors import InputError
from data.progress import Progress
from probes.groups.naming import Group
from probes.tables.embeddings import TableName
from viz.drawing.theme import group_color
from viz.player import Panel
from viz.projection.projector import METHODS

FIELDS = ("what", "method", "axes", "metric", "group")
# From here on a layout takes minutes, and is made only when asked for. PCA's is drawn at once; to judge it takes as long.
MANY_ITEMS = 1500
SECONDS_PER_ITEM_AND_STEP = {"tsne": 2e-3, "umap": 2e-3, "pca": 3e-4}
NOBODY = -1  # the browser says so when an item is let go


@dataclass(frozen=True)
class EmbeddingsForm:
    """What the sidebar asks for."""

    what: TableName
    method: str
    axes: int
    metric: str
    groups: tuple[str, ...]


def show() -> None:
    """Draw the page."""
    page = open_page()
    view = choose(page)
    live_fragment(page)(lambda: guarded(lambda: _stage(page, view), page.say))()


def choose(page: Page) -> EmbeddingsForm:
    """Ask in the sidebar what is to be shown, and how; what is asked for stays in the address."""
    say = page.say
    with st.sidebar:
        what = ask_option(
            "what", say("embeddings.what"), ["tokens", "positions"], lambda name: say(f"embeddings.{name}")
        )
        method = ask_option("method", say("embeddings.method"), list(METHODS), METHODS.__getitem__)
        axes = ask_option("axes", say("embeddings.axes"), [2, 3], lambda n: f"{n}-D")
        metric = ask_option(
            "metric", say("embeddings.metric"), ["euclidean", "cosine"], lambda name: say(f"embeddings.{name}")
        )
        groups = ask_groups(page)
        if method != "pca":
            st.caption(say("embeddings.tsne_warning"))
        elif page.is_live:
            st.caption(say("embeddings.growing_pca"))
    return EmbeddingsForm("tokens" if what == "tokens" else "positions", method, axes, metric, groups)


def ask_groups(page: Page) -> tuple[str, ...]:
    """Ask which groups to highlight: one text, groups with semicolons between."""
    set_initial_value("groups_text", "; ".join(get_field("group")))
    if "lassoed_groups" in st.session_state:
        st.session_state["groups_text"] = st.session_state.pop("lassoed_groups")
    say = page.say
    text = st.text_input(
        say("embeddings.groups"),
        key="groups_text",
        help=say("embeddings.groups_help"),
        placeholder=say("embeddings.groups_placeholder"),
        max_chars=MOST_CHARACTERS,
    )
    groups = parted(text)
    if len(groups) > MOST_GROUPS:
        st.caption(say("embeddings.many_groups", most=MOST_GROUPS))
    set_field("group", groups[:MOST_GROUPS])
    return groups[:MOST_GROUPS]


def found_groups(page: Page, wanted: Sequence[str], labels: Sequence[str]) -> list[Group]:
    """Return the groups that are there; what names nothing is told, and the rest is shown."""
    found = [group_of(name, labels) for name in wanted]
    show_notes([mistake for _, mistakes in found for mistake in mistakes], page.say)
    return [group for group, _ in found if group is not None]


def laid_out(page: Page, trajectory: xr.DataArray, view: EmbeddingsForm) -> xr.Dataset | None:
    """Return the layout, made now if need be with progress shown; None where a large one has not been asked for yet.

    Of a large table PCA's layout comes at once, and is judged when that is asked for.
    """
    say, (n_steps, n_items) = page.say, trajectory.shape[:2]
    is_large = n_items > MANY_ITEMS
    place = st.empty()
    if is_large and not queries.is_kept(page.run, trajectory, view.method, view.axes, view.metric):
        asked = f"{page.run.name} {view.what} {view.method} {view.axes} {view.metric}"
        if st.session_state.get("asked_layout") != asked and not _asks(place, page, trajectory, view):
            if view.method != "pca":
                return None
            return queries.quick_layout(page.run, trajectory, n_axes=view.axes, metric=view.metric).value
        st.session_state["asked_layout"] = asked
    try:
        found = queries.projection(
            page.run, trajectory, view.method, n_axes=view.axes, metric=view.metric, progress=_bar(place, page, n_steps)
        )
    finally:
        place.empty()
    show_notes(found.notes, say)
    return found.value


def _asks(place: st.delta_generator.DeltaGenerator, page: Page, trajectory: xr.DataArray, view: EmbeddingsForm) -> bool:
    """Offer to do what takes minutes; say whether the reader wants it."""
    say, (n_steps, n_items) = page.say, trajectory.shape[:2]
    minutes = max(1, round(n_items * n_steps * SECONDS_PER_ITEM_AND_STEP[view.method] / 60))
    key = "judge" if view.method == "pca" else "compute"
    with place.container(horizontal=True, vertical_alignment="center"):
        offer = say(f"embeddings.{key}", n=say.number(n_items), what=say(f"embeddings.{view.what}"), steps=n_steps)
        asked = st.button(offer, type="primary", key=f"compute {page.run.name}")
        st.caption(say(f"embeddings.{key}_help", minutes=minutes))
    return asked


def _bar(place: st.delta_generator.DeltaGenerator, page: Page, total: int) -> Progress:
    def update(done: int) -> None:
        # Once all are laid out, they are compared with the vectors, which may take longer.
        doing = "embeddings.laying_out" if done < total else "embeddings.judging"
        place.progress(done / total, page.say(doing, done=done, total=total))

    return update


def _stage(page: Page, view: EmbeddingsForm) -> None:
    table = queries.table(page.run, view.what)
    show_notes(table.notes, page.say)
    trajectory = settled(page, view, table.value)
    labels = [str(label) for label in trajectory[trajectory.dims[1]].values]
    groups = found_groups(page, view.groups, labels)
    layout = laid_out(page, trajectory, view)
    if layout is None:
        return
    item, compared = _chosen(page, labels), _compare(page, view, trajectory, groups)
    title = page.say(f"embeddings.title_{view.what}", dim=trajectory.sizes["dim"], method=METHODS[view.method])
    near = queries.all_neighbours(page.run, trajectory, view.metric)
    points = run_panels.scatter(page, "points", title, trajectory, layout, groups, near)
    beside = _beside(page, view, trajectory, layout, groups, compared, item)
    columns = " ".join(f'"points {panel.area}" {height}' for panel, height in beside)
    panels = [points, *(panel for panel, _ in beside)]
    steps = queries.steps_of(trajectory)
    events = show_scene(page, "embeddings", panels, f"{columns} / 12fr 6fr", steps, fields=(*FIELDS, "item"))
    highlight_lassoed(labels, events.selected)
    _keep_chosen(labels, events.item)
    _await(compared)


def _beside(
    page: Page,
    view: EmbeddingsForm,
    trajectory: xr.DataArray,
    layout: xr.Dataset,
    groups: Sequence[Group],
    compared: _Comparisons,
    item: int | None,
) -> list[tuple[Panel, str]]:
    """Return what stands beside the points, from the top down, each with its height as CSS writes it."""
    # A group that cannot be compared keeps its colour from those that can.
    colors = {
        group.name: group_color(page.theme, place) for place, group in enumerate(groups) if group in compared.groups
    }
    column: list[tuple[Panel, str]] = []
    if item is not None:
        around = measure_panels.neighbours(page, "neighbours", trajectory, item, view.metric, groups)
        column.append((around, "6fr"))
    if colors:
        column.append((measure_panels.cohesion(page, "cohesion", compared.known, colors), "5fr"))
        column.append(
            (measure_panels.comparisons(page, "comparisons", view.what, compared.known, colors), "fit-content(24%)")
        )
    if (item is None or not colors) and queries.metrics(page.run):
        column.insert(0, (run_panels.loss(page, "loss"), "4fr"))
    column.append((measure_panels.fidelity(page, "fidelity", layout), "fit-content(40%)"))
    if item is None and not colors and queries.samples(page.run):
        column.append((run_panels.sample(page, "sample"), "4fr"))
    return column if len(column) > 1 else [(column[0][0], "1fr")]


def settled(page: Page, view: EmbeddingsForm, trajectory: xr.DataArray) -> xr.DataArray:
    """Return the snapshots to lay out: of a growing run by t-SNE or UMAP those that were there when it was asked for."""
    if not page.is_live or view.method == "pca":
        return trajectory
    asked = (page.run.name, view.what, view.method)
    settled: dict[object, int] = st.session_state.setdefault("settled", {})
    last = settled.setdefault(asked, int(trajectory["step"][-1]))
    n_new = int((trajectory["step"] > last).sum())
    if n_new and st.button(
        page.say("embeddings.refresh", n=n_new), key=f"refresh {page.run.name}", icon=":material/refresh:"
    ):
        settled[asked] = last = int(trajectory["step"][-1])
    return trajectory.sel(step=slice(None, last))


@dataclass(frozen=True)
class _Comparisons:
    """Groups compared with their nulls, by name: what is known, and what is still under way."""

    groups: Sequence[Group]
    known: Mapping[str, xr.Dataset]
    under_way: Sequence[BackgroundJob[Result[xr.Dataset]]]


def _compare(page: Page, view: EmbeddingsForm, trajectory: xr.DataArray, groups: Sequence[Group]) -> _Comparisons:
    """Compare every group with its nulls; why one cannot be is told."""
    known, under_way, compared, notes = {}, [], [], []
    for group in groups:
        try:
            found = queries.group_cohesion(page.run, view.what, group, trajectory, view.metric)
        except InputError as mistake:
            notes.append(f"{group.name}: {mistake}")
            continue
        compared.append(group)
        if isinstance(found, BackgroundJob):
            under_way.append(found)
        else:
            notes += found.notes
            known[group.name] = found.value
    show_notes(notes, page.say)
    return _Comparisons(compared, known, under_way)


def _await(comparisons: _Comparisons) -> None:
    """Draw the page anew when another group has been compared."""
    if not comparisons.under_way:
        return

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if any(one.is_over for one in comparisons.under_way):
            st.rerun()

    look()


def highlight_lassoed(labels: Sequence[str], selected: Sequence[int] | None) -> None:
    """Highlight what a lasso holds: its labels join the groups in the sidebar, and the page is drawn anew."""
    chosen = [labels[i] for i in selected or [] if 0 <= i < len(labels)]
    if not chosen:
        return
    text = "; ".join([*get_field("group")[: MOST_GROUPS - 1], written(chosen)])
    if len(text) > MOST_CHARACTERS:
        st.toast(translation()("embeddings.lasso_too_large", n=len(chosen)), icon=":material/lasso_select:")
        return
    st.session_state["lassoed_groups"] = text
    st.rerun(scope="app")


def _chosen(page: Page, labels: Sequence[str]) -> int | None:
    """Return the item whose neighbours are listed; one that the address names and the run does not have is told."""
    name = get_field("item")
    found = None if name is None else place_of(name, labels)
    if name is not None and found is None:
        show_notes([page.say("embeddings.no_such_item", name=name)], page.say)
    return found


def _keep_chosen(labels: Sequence[str], item: int | None) -> None:
    """List the neighbours of the item that was clicked, or of none any more; the page is drawn anew."""
    if item is None or item >= len(labels) or not is_new_event("item", item):
        return
    set_field("item", None if item == NOBODY else written([labels[item]]))
    st.rerun(scope="app")
