"""A background job runs once, whoever waits for it, and of a run that has grown only the new snapshots are measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from dashboards.compute import background_jobs, queries
from dashboards.compute.background_jobs import BackgroundJob, BackgroundJobs
from dashboards.compute.computation import Computation
from data.errors import InputError
from data.files.atomic_files import append_line
from data.runs import Run

KEY = "test"


@pytest.fixture
def jobs() -> BackgroundJobs:
    return BackgroundJobs()


def test_work_that_is_running_is_not_started_again(jobs: BackgroundJobs) -> None:
    go_on, begun = threading.Event(), []

    def make(progress: object) -> str:
        begun.append(1)
        assert go_on.wait(30)
        return "done"

    first = jobs.poll(KEY, make, patience_s=0)
    second = jobs.poll(KEY, make, patience_s=0)
    assert isinstance(first, BackgroundJob)
    assert second is first
    go_on.set()
    assert jobs.poll(KEY, make, patience_s=30) == "done"
    assert len(begun) == 1


def answering(*answers: str | InputError) -> Callable[[object], str]:
    """Return work that gives one answer after the other, or raises it."""
    left = iter(answers)

    def make(progress: object) -> str:
        answer = next(left)
        if isinstance(answer, InputError):
            raise answer
        return answer

    return make


def test_an_error_is_reported_to_who_looks_and_the_next_look_begins_again(jobs: BackgroundJobs) -> None:
    make = answering(InputError("not today"), "today")
    with pytest.raises(InputError, match="not today"):
        jobs.poll(KEY, make, patience_s=30)
    assert jobs.poll(KEY, make, patience_s=30) == "today"


def test_a_later_state_waits_for_the_work_on_an_earlier_one(jobs: BackgroundJobs) -> None:
    go_on, begun = threading.Event(), []

    def make(state: int) -> str:
        begun.append(state)
        assert go_on.wait(30)
        return f"state {state}"

    assert isinstance(jobs.poll(KEY, lambda _: make(1), patience_s=0, state=1), BackgroundJob)
    for state in (2, 3):
        assert isinstance(jobs.poll(KEY, lambda _, state=state: make(state), patience_s=0, state=state), BackgroundJob)
    assert begun == [1]
    go_on.set()
    assert jobs.wait_for(KEY, lambda _: make(3), lambda done: None, state=3) == "state 3"
    assert begun == [1, 3]


def test_what_nobody_comes_back_for_is_dropped(jobs: BackgroundJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    make = answering(InputError("old trouble"), "today")
    work = background_jobs.BackgroundJob(make)
    jobs._jobs[KEY] = work
    work.wait(30)
    monkeypatch.setattr(background_jobs, "KEEP_FINISHED_S", 0)
    time.sleep(0.01)
    assert jobs.poll(KEY, make, patience_s=30) == "today"


def test_a_reader_who_turns_away_leaves_the_work_going(jobs: BackgroundJobs) -> None:
    class TurnedAwayError(Exception):
        pass

    go_on, seen = threading.Event(), []

    def make(progress):  # type: ignore[no-untyped-def]
        progress(3)
        assert go_on.wait(30)
        return "done"

    def turn_away(done: int) -> None:
        seen.append(done)
        raise TurnedAwayError

    with pytest.raises(TurnedAwayError):
        jobs.wait_for(KEY, make, turn_away)
    assert seen == [3]
    go_on.set()
    assert jobs.wait_for(KEY, make, turn_away) == "done"


def counting(go_on: threading.Event, begun: list[int]) -> Callable[[Callable[[float], None]], str]:
    """Return work that reports its progress until it may go on, and notes each time it begins."""

    def make(progress: Callable[[float], None]) -> str:
        begun.append(1)
        while not go_on.wait(0.01):
            progress(1)
        progress(2)
        return "done"

    return make


def test_a_cancelled_job_ends_where_it_reports_its_progress(jobs: BackgroundJobs) -> None:
    go_on, begun = threading.Event(), list[int]()
    make = counting(go_on, begun)
    job = jobs.poll(KEY, make, patience_s=0)
    assert isinstance(job, BackgroundJob)
    jobs.cancel(KEY)
    jobs.cancel("another")  # there is none
    job.wait(30)
    assert job.has_given_up
    go_on.set()
    assert jobs.poll(KEY, make, patience_s=30) == "done"  # who asks again begins anew
    assert len(begun) == 2


def test_a_cancelled_job_that_another_tab_still_waits_for_goes_on(jobs: BackgroundJobs) -> None:
    go_on, begun = threading.Event(), list[int]()

    def make(progress: Callable[[float], None]) -> str:
        begun.append(1)
        assert go_on.wait(30)
        progress(1)
        return "done"

    job = jobs.poll(KEY, make, patience_s=0)
    jobs.cancel(KEY)
    assert jobs.poll(KEY, make, patience_s=0) is job
    go_on.set()
    assert jobs.poll(KEY, make, patience_s=30) == "done"
    assert len(begun) == 1


def test_a_new_snapshot_that_is_damaged_is_named_and_what_was_measured_stays(
    run: Run, computation: Computation
) -> None:
    records, manifest = run.manifest(), run.path / "manifest.jsonl"
    manifest.write_text("")
    for record in records[:-1]:
        append_line(manifest, record)
    before = queries.attention(computation, run, "ba").value
    last = records[-1]
    (run.path / last["file"]).write_bytes(b"\0" * last["bytes"])
    append_line(manifest, last)
    found = queries.attention(computation, run, "ba")
    assert found.value.steps == before.steps
    assert any(f"step {last['step']}" in note for note in found.notes)


def test_notes_of_earlier_snapshots_stay_when_the_run_grows(run: Run, computation: Computation) -> None:
    records, manifest = run.manifest(), run.path / "manifest.jsonl"
    manifest.write_text("")
    for record in records[:-1]:
        append_line(manifest, record)
    (run.path / records[1]["file"]).write_bytes(b"\0" * records[1]["bytes"])
    queries.attention(computation, run, "ba")
    append_line(manifest, records[-1])
    found = queries.attention(computation, run, "ba")
    assert found.value.steps == tuple(record["step"] for i, record in enumerate(records) if i != 1)
    assert any(f"step {records[1]['step']}" in note for note in found.notes)
