"""Jobs on a page: a bar for each that is under way, with a button to cancel it, and a line for each that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboards.compute import jobs
from dashboards.compute.jobs import Job, JobKey, JobStatus
from dashboards.page import escape_markdown
from dashboards.state.language import Translation

LOOK_EVERY_S = 0.5
# What a command calls its parts; everything else is read snapshot by snapshot.
PARTS = {"film": "jobs.frames", "training": "jobs.steps"}


def await_job(job: Job) -> None:
    """Remember that this visit asked for a job, so that it is told when the job ends."""
    st.session_state.setdefault("awaited", {})[job.key] = job


def arrived() -> list[Job]:
    """Return the jobs that this visit asked for and that have come to their end since; each is returned once."""
    awaited: dict[JobKey, Job] = st.session_state.setdefault("awaited", {})
    ended = [job for job in awaited.values() if job.status.state != "running"]
    for job in ended:
        del awaited[job.key]
    return ended


def show_jobs(found: Sequence[Job], say: Translation, title: Callable[[Job], str]) -> bool:
    """Show jobs and look at them twice a second while one is under way; then the whole page is drawn anew.

    Parameters
    ----------
    found : the jobs of this page.
    title : what a job makes, in the reader's words.

    Returns
    -------
    is_running : whether one of them is under way.
    """
    running = [job for job in found if job.status.state == "running"]
    for job in found:
        if job.status.state == "failed":
            _failed(job, say, title(job))
    if not running:
        return False

    @st.fragment(run_every=LOOK_EVERY_S)
    def bars() -> None:
        if any(job.status.state != "running" for job in running):
            st.rerun()
        for job in running:
            _bar(job, say, title(job))

    bars()
    return True


def _bar(job: Job, say: Translation, title: str) -> None:
    now = job.status
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.progress(now.share, f"**{escape_markdown(title)}** · {escape_markdown(told(now, say))}")
        if st.button(say("jobs.cancel"), key=f"cancel {job.key.run} {job.key.made}", icon=":material/stop_circle:"):
            job.cancel()
            st.rerun()


def told(now: JobStatus, say: Translation) -> str:
    """Say in a few words where a job stands."""
    if not now.total:
        return say("jobs.starting")
    part = say(PARTS.get(now.what, "jobs.snapshots"), done=say.number(now.done), total=say.number(now.total))
    note = f" · {' '.join(now.note.split())}" if now.note else ""
    return f"{part}{note} · {say('jobs.seconds', n=say.number(now.seconds))}"


def _failed(job: Job, say: Translation, title: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        reason = job.status.line or say("jobs.no_reason")
        st.error(
            f"{escape_markdown(say('jobs.failed', title=title))} {escape_markdown(reason)}", icon=":material/error:"
        )
        if st.button(say("jobs.dismiss"), key=f"dismiss {job.key.run} {job.key.made}", type="tertiary"):
            jobs.forget(job.key)
            st.rerun()
