"""Jobs on a page: a progress bar with a cancel button for each running job, and a line for each failed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboards.compute.jobs import Job, JobKey, Jobs, JobStatus
from dashboards.page import escape_markdown
from dashboards.state.language import Translation

LOOK_EVERY_S = 0.5
# The units of a command's progress; all other progress counts snapshots.
UNITS = {"film": "jobs.frames", "training": "jobs.steps"}


def await_job(job: Job) -> None:
    """Remember that this visit started a job, so that it is notified when the job ends."""
    st.session_state.setdefault("awaited", {})[job.key] = job


def arrived() -> list[Job]:
    """Return the jobs of this visit that have ended since the last call."""
    awaited: dict[JobKey, Job] = st.session_state.setdefault("awaited", {})
    ended = [job for job in awaited.values() if job.status.state != "running"]
    for job in ended:
        del awaited[job.key]
    return ended


def show_jobs(jobs: Jobs, shown: Sequence[Job], say: Translation, title: Callable[[Job], str]) -> bool:
    """Show jobs, updated twice a second while one is running; when one ends, the whole page reruns.

    Parameters
    ----------
    jobs : all jobs of the server.
    shown : the jobs of this page.
    say : texts in the reader's language.
    title : names what a job makes.

    Returns
    -------
    is_running : whether one of them is running.
    """
    running = [job for job in shown if job.status.state == "running"]
    for job in shown:
        if job.status.state == "failed":
            _show_failed(jobs, job, say, title(job))
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
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        text = f"**{escape_markdown(title)}** · {escape_markdown(status_text(job.status, say))}"
        st.progress(job.status.share, text)
        if st.button(say("jobs.cancel"), key=f"cancel {job.key.run} {job.key.made}", icon=":material/stop_circle:"):
            job.cancel()
            st.rerun()


def status_text(status: JobStatus, say: Translation) -> str:
    """Describe the status of a running job in a few words."""
    if not status.total:
        return say("jobs.starting")
    done = say(UNITS.get(status.what, "jobs.snapshots"), done=say.number(status.done), total=say.number(status.total))
    note = f" · {' '.join(status.note.split())}" if status.note else ""
    return f"{done}{note} · {say('jobs.seconds', n=say.number(status.seconds))}"


def _show_failed(jobs: Jobs, job: Job, say: Translation, title: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        reason = job.status.line or say("jobs.no_reason")
        st.error(
            f"{escape_markdown(say('jobs.failed', title=title))} {escape_markdown(reason)}", icon=":material/error:"
        )
        if st.button(say("jobs.dismiss"), key=f"dismiss {job.key.run} {job.key.made}", type="tertiary"):
            jobs.forget(job.key)
            st.rerun()
