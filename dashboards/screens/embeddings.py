"""Embeddings: the tokens or positions as points that move with the slider, and how far their picture may be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
import xarray as xr

from dashboards import gather, views
from dashboards.address import keep, kept
from dashboards.chrome import Page, growing_fragment, guarded, open_page, plain, segments, show_scene, tell
from dashboards.theatre import Curves, Panel
from dashboards.theatre.scene import Series
from data.errors import InputError
from probes.groups import Group, highlight
from viz.labels import spoken
from viz.projection import METHODS
from viz.style import group_color

FIELDS = ("what", "method", "axes", "metric", "group")
# From here on a layout by t-SNE or UMAP takes minutes, and is made only when asked for.
MANY_ITEMS = 1500
SECONDS_PER_ITEM_AND_STEP = 6e-4
MOST_GROUPS = 6
MOST_CHARACTERS = 2000
# Labels that would part a list of groups are written by name.
NAMED = {",": "comma", ";": "semicolon", "|": "bar", " ": "space", "\n": "newline", "\t": "tab"}


@dataclass(frozen=True)
class View:
    """What the sidebar asks for."""

    what: views.Kind
    method: str
    axes: int
    metric: str
    groups: tuple[str, ...]


def show() -> None:
    """Draw the page."""
    page = open_page()
    view = choose(page)
    growing_fragment(page)(lambda: guarded(lambda: _stage(page, view), page.say))()


def choose(page: Page) -> View:
    """Ask in the sidebar what is to be shown, and how; what is asked for stays in the address."""
    say = page.say
    with st.sidebar:
        what = segments("what", say("embeddings.what"), ["tokens", "positions"], lambda name: say(f"embeddings.{name}"))
        method = segments("method", say("embeddings.method"), list(METHODS), METHODS.__getitem__)
        axes = segments("axes", say("embeddings.axes"), [2, 3], lambda n: f"{n}-D")
        metric = segments(
            "metric", say("embeddings.metric"), ["euclidean", "cosine"], lambda name: say(f"embeddings.{name}")
        )
        groups = ask_groups(page)
        if method != "pca":
            st.caption(say("embeddings.tsne_warning"))
    return View("tokens" if what == "tokens" else "positions", method, axes, metric, groups)


def ask_groups(page: Page) -> tuple[str, ...]:
    """Ask which groups to highlight: one text, groups with semicolons between."""
    lassoed = st.session_state.pop("lassoed_groups", None)
    if lassoed is not None:
        st.session_state["groups_text"] = lassoed
    elif "groups_text" not in st.session_state:
        st.session_state["groups_text"] = "; ".join(kept("group"))
    say = page.say
    text = st.text_input(
        say("embeddings.groups"),
        key="groups_text",
        help=say("embeddings.groups_help"),
        placeholder=say("embeddings.groups_placeholder"),
        max_chars=MOST_CHARACTERS,
    )
    # A semicolon that stands alone is a token; else it parts groups.
    groups = (text,) if text.strip() == ";" else tuple(part.strip() or part for part in text.split(";") if part)
    keep("group", groups[:MOST_GROUPS])
    return groups[:MOST_GROUPS]


def found_groups(page: Page, wanted: Sequence[str], labels: Sequence[str]) -> list[Group]:
    """Return the groups that are there; what names nothing is told, and the rest is shown."""
    groups, mistakes = [], []
    for name in wanted:
        try:
            groups.append(highlight(name, labels))
        except InputError as mistake:
            mistakes.append(str(mistake).replace("--highlight ", ""))
    tell(mistakes, page.say)
    return groups


def laid_out(page: Page, trajectory: xr.DataArray, view: View) -> xr.Dataset | None:
    """Return the layout, made now if need be with progress shown; None where a large one has not been asked for yet."""
    say, (n_steps, n_items) = page.say, trajectory.shape[:2]
    asked = f"{page.run.name} {view.what} {view.method} {view.axes} {view.metric}"
    is_large = n_items > MANY_ITEMS and view.method != "pca"
    place = st.empty()
    if (
        is_large
        and st.session_state.get("asked_layout") != asked
        and not gather.is_kept(page.run, trajectory, view.method, view.axes, view.metric)
    ):
        minutes = max(1, round(n_items * n_steps * SECONDS_PER_ITEM_AND_STEP / 60))
        with place.container():
            st.info(say("embeddings.compute_help", minutes=minutes), icon=":material/timer:")
            words = say("embeddings.compute", n=say.number(n_items), what=say(f"embeddings.{view.what}"), steps=n_steps)
            if not st.button(words, type="primary", key=f"compute {page.run.name}"):
                return None
        st.session_state["asked_layout"] = asked
    try:
        found = gather.projection(
            page.run, trajectory, view.method, n_axes=view.axes, metric=view.metric, progress=_bar(place, page, n_steps)
        )
    finally:
        place.empty()
    tell(found.notes, say)
    return found.value


def _bar(place: st.delta_generator.DeltaGenerator, page: Page, total: int) -> Callable[[int], None]:
    def update(done: int) -> None:
        place.progress(done / total, page.say("embeddings.laying_out", done=done, total=total))

    return update


def _stage(page: Page, view: View) -> None:
    table = gather.table(page.run, view.what)
    tell(table.notes, page.say)
    trajectory = settled(page, view, table.value)
    labels = [str(label) for label in trajectory[trajectory.dims[1]].values]
    groups = found_groups(page, view.groups, labels)
    layout = laid_out(page, trajectory, view)
    if layout is None:
        return
    compared = _compared(page, view, trajectory, groups)
    title = page.say(f"embeddings.title_{view.what}", dim=trajectory.sizes["dim"], method=METHODS[view.method])
    near = gather.all_neighbours(page.run, trajectory, view.metric)
    panels: list[Panel] = [
        views.scatter(page, "points", title, trajectory, layout, groups, near),
        views.loss(page, "loss"),
        views.fidelity(page, "fidelity", layout, compared),
    ]
    if compared:
        panels.append(_cohesion(page, compared))
        columns = '"points loss" 4fr "points cohesion" 4fr "points fidelity" 5fr / 12fr 6fr'
    else:
        panels.append(views.sample(page, "sample"))
        columns = '"points loss" 4fr "points fidelity" 3fr "points sample" 4fr / 12fr 6fr'
    events = show_scene(page, "embeddings", panels, columns, gather.steps_of(trajectory), fields=FIELDS)
    highlight_lassoed(labels, events.selected)
    _tell_neighbours(page, view, trajectory, labels, events.item)


def settled(page: Page, view: View, trajectory: xr.DataArray) -> xr.DataArray:
    """Return the snapshots to lay out: of a growing run by t-SNE or UMAP those that were there when it was asked for."""
    if not page.is_growing or view.method == "pca":
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


def _compared(page: Page, view: View, trajectory: xr.DataArray, groups: Sequence[Group]) -> list[xr.Dataset]:
    """Compare every group with its nulls; why one cannot be is told."""
    compared, notes = [], []
    for group in groups:
        try:
            found = gather.group_cohesion(page.run, view.what, group.name.replace(", ", ","), trajectory, view.metric)
        except InputError as mistake:
            notes.append(str(mistake))
            continue
        notes += found.notes
        compared.append(found.value)
    tell(notes, page.say)
    return compared


def _cohesion(page: Page, compared: Sequence[xr.Dataset]) -> Curves:
    series = []
    for place, group in enumerate(compared):
        steps, color = gather.steps_of(group), group_color(page.theme, place)
        name = str(group.attrs["highlight"])
        series.append(
            Series(name if len(name) < 20 else f"{name[:18]}…", color, steps, group["cohesion"].values.tolist())
        )
    null = compared[0].isel({"null": 0}) if "null" in compared[0].dims else compared[0]
    low, middle, high = (null["band"].isel(quantile=i).values.tolist() for i in range(3))
    band = Series(
        page.say("views.random_band"), page.theme.muted, gather.steps_of(compared[0]), middle, True, low, high
    )
    return Curves("cohesion", "cohesion", page.say("views.cohesion"), series=[*series, band])


def highlight_lassoed(labels: Sequence[str], selected: Sequence[int] | None) -> None:
    """Highlight what a lasso holds: its labels join the groups in the sidebar, and the page is drawn anew."""
    chosen = [labels[i] for i in selected or [] if 0 <= i < len(labels)]
    if not chosen:
        return
    names = ",".join(NAMED.get(label, label) for label in chosen)
    st.session_state["lassoed_groups"] = "; ".join([*kept("group")[: MOST_GROUPS - 1], names])
    st.rerun(scope="app")


def _tell_neighbours(page: Page, view: View, trajectory: xr.DataArray, labels: Sequence[str], item: int | None) -> None:
    """List the neighbours of the item that was clicked, with their distances."""
    if item is None or not 0 <= item < len(labels):
        return
    step = kept("step") or gather.steps_of(trajectory)[-1]
    near = gather.neighbours_of(trajectory, item, step, view.metric)
    said = "  ·  ".join(f"{spoken(labels[i])} {page.say.number(distance, 2)}" for i, distance in near)
    st.caption(f"{page.say('embeddings.neighbours', name=plain(spoken(labels[item])))}: {plain(said)}")
