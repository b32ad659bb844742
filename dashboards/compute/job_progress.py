"""Jobs on a page: a progress bar with a cancel button for each running job, and a line for each failed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from dashboards.compute.jobs import MOST_RUNNING, BusyError, Job, JobKey, Jobs, JobStatus
from dashboards.page import Page
from dashboards.state.language import Translation
from dashboards.widgets import escape_markdown

LOOK_EVERY_S = 0.5
# The units of a command's progress; all other progress counts snapshots.
UNITS = {"film": "jobs.frames", "training": "jobs.steps"}


def start_job(page: Page, key: JobKey, arguments: Sequence[str], hidden: tuple[Path, str]) -> None:
    """Start a job, or find the running one with the same key, remember that this visit waits for it, and rerun the page."""
    try:
        job, is_new = page.computation.jobs.start(key, arguments, hidden)
    except BusyError:
        st.warning(page.say("jobs.busy", n=MOST_RUNNING), icon=":material/hourglass:")
        return
    st.session_state.setdefault("awaited", {})[key] = job
    if not is_new:
        st.toast(page.say("jobs.same"), icon=":material/group:", duration="long")
    st.rerun()


def arrived(say: Translation) -> list[Job]:
    """Return the jobs of this visit that are done since the last call; for a cancelled one, show a message."""
    awaited: dict[JobKey, Job] = st.session_state.setdefault("awaited", {})
    ended = [job for job in awaited.values() if job.status.state != "running"]
    for job in ended:
        del awaited[job.key]
        if job.status.state == "cancelled":
            st.toast(say("jobs.cancelled"), icon=":material/stop_circle:")
    return [job for job in ended if job.status.state == "done"]


def show_jobs_of(page: Page, folder: str, suffix: str = "") -> bool:
    """Show the jobs that make files in a folder of the run, see `show_jobs`; ``suffix`` is that of the files."""
    jobs, start = page.computation.jobs, f"{folder}/"
    found = [job for job in jobs.of_run(page.run.name) if job.key.made.startswith(start)]
    return show_jobs(jobs, found, page.say, lambda job: job.key.made.removeprefix(start) + suffix)


def show_jobs(jobs: Jobs, shown: Sequence[Job], say: Translation, title: Callable[[Job], str]) -> bool:
    """Show some of the jobs, each with its title, and return whether one of them is running.

    They are updated twice a second while one is running; when one ends, the whole page reruns.
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
    done = say(
        UNITS.get(status.what, "jobs.snapshots"), done=say.number(int(status.done)), total=say.number(status.total)
    )
    note = f" · {say.error(' '.join(status.note.split()))}" if status.note else ""
    return f"{done}{note} · {say('jobs.seconds', n=say.number(status.seconds))}"


def _show_failed(jobs: Jobs, job: Job, say: Translation, title: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        reason = say.error(job.status.line) if job.status.line else say("jobs.no_reason")
        st.error(escape_markdown(f"{say('jobs.failed', title=title)} {reason}"), icon=":material/error:")
        if st.button(say("jobs.dismiss"), key=f"dismiss {job.key.run} {job.key.made}", type="tertiary"):
            jobs.forget(job.key)
            st.rerun()
