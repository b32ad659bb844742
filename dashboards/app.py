"""The dashboard: a run, and one slider over its training steps. Views only; the numbers come from `probes` and `viz`."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
import xarray as xr

from data.errors import InputError
from data.files import Record
from data.runs import Run, list_runs, open_run
from viz.furniture import item_colors
from viz.labels import display, spoken
from viz.projection_cache import cached_projection
from viz.scatter import fixed_limits
from viz.style import THEMES, Theme
from viz.subject import Subject, read_subject

PICTURE_PX = (700, 520)


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="GPTLab", page_icon="🔬", layout="wide")
    names = [run.name for run in reversed(list_runs())]
    if not names:
        st.title("Watch a GPT learn")
        st.info("There is no run yet. Train one in a terminal, and reload this page:")
        st.code("python -m trainer --preset cpu", language="shell")
        return
    run = open_run(st.sidebar.selectbox("Run", names))
    st.title(run.name)
    _facts(run)
    _over_steps(run)
    _films(run)


def _facts(run: Run) -> None:
    info, metrics = run.info, run.metrics()
    columns = st.columns(4)
    columns[0].metric("Parameters", f"{info['parameters']:,}")
    columns[1].metric("Text", info.get("corpus", {}).get("name", "none"))
    columns[2].metric("Snapshots", len(run.manifest()))
    columns[3].metric("Validation loss", f"{metrics[-1]['val_loss']:.3f}" if metrics else "none yet")


@st.fragment
def _over_steps(run: Run) -> None:
    """The slider and all that moves with it; moving it repaints only this."""
    steps = [record["step"] for record in run.manifest()]
    if not steps:
        st.info("This run has no snapshot yet.")
        return
    what = st.segmented_control("Embeddings", ["positions", "tokens"], default="positions") or "positions"
    step = st.select_slider("Training step", steps, value=steps[-1]) if len(steps) > 1 else steps[0]
    left, right = st.columns([3, 2])
    theme = THEMES["dark" if st.context.theme.type == "dark" else "light"]
    try:
        subject, projection = _projection(run, what)
    except InputError as mistake:
        left.warning(str(mistake))
    else:
        left.plotly_chart(_scatter(subject, projection, step, theme), key="scatter", theme=None)
    right.plotly_chart(_loss(run.metrics(), step, theme), key="loss", theme=None)
    _sample(run, step)


def _projection(run: Run, what: str) -> tuple[Subject, xr.Dataset]:
    with st.spinner("Laying out the snapshots"):
        subject = read_subject(run, "tokens" if what == "tokens" else "positions")
        return subject, cached_projection(run, subject.trajectory, "tsne")


def _scatter(subject: Subject, projection: xr.Dataset, step: int, theme: Theme) -> go.Figure:
    at = projection.sel(step=step, method="nearest")
    x, y = fixed_limits(projection["layout"].values, *PICTURE_PX, margin_px=20)
    colors = item_colors(len(subject.labels), subject.classes, theme, ordered=subject.is_ordered)
    points = go.Scatter(
        x=at["layout"].values[:, 0],
        y=at["layout"].values[:, 1],
        mode="lines+markers+text" if subject.is_ordered else "markers+text",
        text=[display(label) for label in subject.labels],
        hovertext=[spoken(label) for label in subject.labels],
        hoverinfo="text",
        marker={"size": 20, "color": colors},
        line={"color": theme.line, "width": 1.5},
        textfont={"color": theme.text, "size": 12},
    )
    figure = go.Figure(points, _layout(theme, f"trustworthiness {float(at['trustworthiness']):.2f}"))
    figure.update_xaxes(visible=False, range=list(x))
    figure.update_yaxes(visible=False, range=list(y))
    return figure


def _loss(metrics: list[Record], step: int, theme: Theme) -> go.Figure:
    figure = go.Figure(layout=_layout(theme, "loss, nats per token"))
    for key, name, color in (
        ("val_loss", "validation", theme.palette[1]),
        ("train_loss", "training", theme.palette[0]),
    ):
        values = [record[key] for record in metrics]
        figure.add_scatter(
            x=[record["step"] for record in metrics], y=values, name=name, line={"color": color, "width": 2.5}
        )
    figure.add_vline(x=step, line={"color": theme.muted, "width": 1.5})
    figure.update_xaxes(title="training step", gridcolor=theme.line, zeroline=False)
    figure.update_yaxes(gridcolor=theme.line, zeroline=False)
    return figure


def _layout(theme: Theme, title: str) -> go.Layout:
    return go.Layout(
        title={"text": title, "font": {"size": 15, "color": theme.muted}},
        paper_bgcolor=theme.background,
        plot_bgcolor=theme.panel,
        font={"color": theme.text},
        height=PICTURE_PX[1],
        margin={"l": 40, "r": 10, "t": 45, "b": 40},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        uirevision="constant",
    )


def _sample(run: Run, step: int) -> None:
    at = [record for record in run.samples() if record["step"] <= step]
    if at:
        st.caption(f"What the model writes at step {at[-1]['step']:,}, at temperature {at[-1]['temperature']}")
        st.code(at[-1]["text"], language=None, wrap_lines=True)


def _films(run: Run) -> None:
    films = sorted((run.path / "films").glob("*.mp4"))
    if not films:
        st.info(f"No film yet. Render one:  python -m viz.video --run {run.name}")
        return
    st.subheader("Films")
    name = st.selectbox("Film", [film.stem for film in films])
    st.video(str(run.path / "films" / f"{name}.mp4"), loop=True)


main()
