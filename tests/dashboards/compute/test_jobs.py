"""Jobs are the project's commands: one for each thing made, seen by all, cancelled without a trace, their mistakes told in a line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dashboards.compute import jobs as jobs_module
from dashboards.compute.computation import Computation
from dashboards.compute.jobs import BusyError, Job, JobKey, Jobs
from data.commands import parse
from data.runs import Run
from tests.conftest import command_environment
from viz.request import FilmRequest

SMALL = ["--what=position-similarity", "--size=640x360", "--seconds-per-snapshot=0.1", "--hold=0.1"]
# So many frames that it is under way whenever a test looks.
LONG = ["--what=position-similarity", "--size=640x360", "--seconds-per-snapshot=60"]


def stem_of(options: Sequence[str]) -> str:
    request: FilmRequest = parse(FilmRequest, prog="", args=list(options))
    return request.file_name


@pytest.fixture
def jobs(computation: Computation) -> Jobs:
    return computation.jobs


def film(jobs: Jobs, run: Run, *options: str, stem: str | None = None) -> tuple[Job, bool]:
    stem = stem or stem_of(options)
    arguments = ["viz.video", f"--run={run.name}", *options]
    return jobs.start(JobKey(run.name, f"films/{stem}"), arguments, (run.path / "films", f".{stem}.partial"))


def until(job: Job, what: str) -> None:
    deadline = time.monotonic() + 60
    while job.status.what != what or not job.status.done:
        assert time.monotonic() < deadline, job.status
        assert job.status.state == "running", job.status
        time.sleep(0.02)


def test_a_job_makes_the_film_and_tells_how_far_it_is(jobs: Jobs, run: Run) -> None:
    job, started = film(jobs, run, *SMALL)
    assert started
    assert job.status.state == "running"
    status = job.wait(60)
    assert (status.state, status.what, status.done) == ("done", "film", status.total)
    assert status.share == 1.0
    assert sorted(path.name for path in (run.path / "films").iterdir()) == [
        f"{stem_of(SMALL)}{suffix}" for suffix in (".gif", ".gif.json", ".mp4", ".mp4.json")
    ]
    assert jobs.of_run(run.name) == [job]
    jobs.forget(job.key)
    assert jobs.of_run(run.name) == []


def test_who_asks_for_the_same_film_is_given_the_running_job_and_cancelling_leaves_nothing(
    jobs: Jobs, run: Run
) -> None:
    job, _ = film(jobs, run, *LONG)
    again, started = film(jobs, run, *SMALL, stem=stem_of(LONG))
    assert (again, started) == (job, False)
    until(job, "film")
    assert any(path.name.startswith(f".{stem_of(LONG)}.partial") for path in (run.path / "films").iterdir())
    job.cancel()
    assert job.status.state == "cancelled"
    assert list((run.path / "films").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(job._process.pid, 0)
    job.cancel()  # of no consequence
    assert job.status.state == "cancelled"
    assert film(jobs, run, *LONG)[1], "what was cancelled can be made again"


def test_a_command_that_is_killed_leaves_no_hidden_file_either(jobs: Jobs, run: Run) -> None:
    job, _ = film(jobs, run, *LONG)
    other = run.path / "films" / ".other.partial.mp4"
    until(job, "film")
    other.touch()
    os.killpg(job._process.pid, signal.SIGKILL)
    assert job.wait(30).state == "failed"
    assert list((run.path / "films").iterdir()) == [other], "files of other jobs are left alone"


def test_a_mistake_is_reported_in_the_commands_own_words(jobs: Jobs, run: Run) -> None:
    job, _ = film(jobs, run, "--what=attention", "--prompt=\u2603")
    status = job.wait(60)
    assert status.state == "failed"
    assert "\u2603" in status.line
    assert "python -m" not in status.line
    assert "\n" not in status.line


def test_a_run_deleted_meanwhile_ends_the_job_with_a_message(jobs: Jobs, run: Run) -> None:
    job, _ = jobs.start(
        JobKey("gone", "films/x"), ["viz.video", "--run=gone"], (run.path.parent / "gone" / "films", ".x")
    )
    assert "there is no run 'gone'" in job.wait(60).line


def test_two_jobs_at_a_time(jobs: Jobs, run: Run) -> None:
    film(jobs, run, *LONG)
    film(jobs, run, *LONG, stem="second")
    with pytest.raises(BusyError, match="2 jobs are under way: wait for one to end, or cancel one"):
        film(jobs, run, *LONG, stem="third")


def test_jobs_that_have_ended_are_kept_up_to_a_number(jobs: Jobs, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "MOST_KEPT", 2)
    for i in range(4):
        jobs.start(JobKey(run.name, f"films/{i}"), ["data", "--no-such-option"])[0].wait(30)
    assert [job.key.made for job in jobs.of_run(run.name)] == ["films/3", "films/2"]


def test_jobs_end_with_the_server(run: Run) -> None:
    lines = [
        "import os, sys, time",
        "from dashboards.compute.computation import start_computation",
        "from dashboards.compute.jobs import JobKey",
        f"job, _ = start_computation().jobs.start(JobKey('tiny', 'films/x'), {['viz.video', '--run=tiny', *LONG]!r})",
        "while not job.status.total: time.sleep(0.05)",
        "print(job._process.pid)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], env=command_environment(), capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(ProcessLookupError):
        os.killpg(int(done.stdout), 0)


def test_progress_is_reported_in_records_where_asked_for(run: Run, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "viz.video", *SMALL, f"--out={tmp_path}"],
        env=command_environment(GPTLAB_PROGRESS="lines"),
        capture_output=True,
        text=True,
    )
    records = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"what", "done", "total", "note"} == set(records[0])
    assert records[0]["done"] == 0
    last = [record for record in records if record["what"] == "film"][-1]
    assert last["done"] == last["total"]
    values = [record["done"] for record in records if record["what"] == "film"]
    assert values == sorted(set(values))
