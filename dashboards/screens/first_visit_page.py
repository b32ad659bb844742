"""First visit, while there is no run: what the pages show, a tiny run to train here, and the command for a real one."""

from __future__ import annotations

import streamlit as st

from dashboards import demo
from dashboards.compute.job_progress import show_jobs
from dashboards.compute.jobs import MOST_RUNNING, BusyError, JobKey
from dashboards.page import shared_computation, translation
from dashboards.state import run_list
from dashboards.state.language import Translation
from dashboards.widgets import escape_markdown
from data.runs import runs_folder

FIELDS = ()
KEY = JobKey(demo.NAME, "training")
COMMAND = "python -m trainer --preset cpu"


def show() -> None:
    """Draw the page."""
    say = translation()
    _, middle, _ = st.columns([1, 3, 1])
    with middle:
        st.title(say("first_visit.title"), anchor=False)
        st.markdown(say("first_visit.see"))
        st.caption(escape_markdown(say("first_visit.none", folder=str(runs_folder().absolute()))))
        with st.container(border=True):
            _train_here(say)
        with st.container(border=True):
            st.markdown(f"**:material/terminal: {say('first_visit.command')}**")
            st.code(COMMAND, language="bash")
            st.caption(say("first_visit.command_help"))
            _await_a_run()


def _train_here(say: Translation) -> None:
    st.markdown(f"**:material/bolt: {say('first_visit.here')}**")
    st.caption(say("first_visit.here_help", name=demo.NAME))
    jobs = shared_computation().jobs
    job = jobs.get(KEY)
    if show_jobs(jobs, [] if job is None else [job], say, lambda _: say("first_visit.training")):
        return
    local = demo.local_corpora()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        corpus = st.selectbox(
            say("first_visit.text"),
            demo.choices(say.language),
            format_func=lambda name: say("first_visit.local" if name in local else "first_visit.to_fetch", name=name),
            key="first_corpus",
            width=360,
        )
        if st.button(say("first_visit.train"), type="primary", icon=":material/play_arrow:", key="first_train"):
            _start(corpus, say)


def _start(corpus: str, say: Translation) -> None:
    try:
        shared_computation().jobs.start(KEY, ["trainer", *demo.arguments(corpus)])
    except BusyError:
        st.warning(say("jobs.busy", n=MOST_RUNNING), icon=":material/hourglass:")
        return
    st.rerun()


@st.fragment(run_every=2.0)
def _await_a_run() -> None:
    """Rerun when a run has been started elsewhere."""
    job = shared_computation().jobs.get(KEY)
    is_ours = job is not None and job.status.state == "running"
    if not is_ours and run_list.runs():
        st.rerun()
