"""Long work behind a page: the project's own commands as processes, seen by every tab, with their progress and their end.

A job is known by what it makes (`JobKey`): whoever asks for the same film while it is being rendered is given the job that is under
way. A job is told to stop as Ctrl-C would tell it, so the command tidies up after itself; what it could not is removed here.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Literal

from data.errors import InputError
from data.progress import VARIABLE
from data.runs import runs_folder

JobState = Literal["running", "done", "failed", "cancelled"]

MOST_RUNNING = 2
MOST_KEPT = 20
MOST_LINES = 12
LONGEST_LINE = 2000
# A command that was told to stop has so long to tidy up before it is ended.
PATIENCE_S = 5.0
ROOT = Path(__file__).resolve().parents[2]


class BusyError(InputError):
    """As many jobs as may be are under way."""


@dataclass(frozen=True)
class JobKey:
    """What a job makes: something of a run, named by folder and file stem, e.g. ``films/tokens-tsne``."""

    run: str
    made: str


@dataclass(frozen=True)
class JobStatus:
    """Where a job stands.

    ``what``, ``done``, ``total`` and ``note`` are the command's latest progress; ``lines`` the last it said besides; ``started``
    and ``seconds`` tell when it began and how long it has taken.
    """

    state: JobState
    started: float
    what: str = ""
    done: int = 0
    total: int = 0
    note: str = ""
    lines: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """The last line that the command said: where it failed, what the mistake was."""
        return self.lines[-1] if self.lines else ""

    @property
    def share(self) -> float:
        """How much of the part under way is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass
class Job:
    """A command at work. Its fields belong to this module; pages read `status`."""

    key: JobKey
    arguments: tuple[str, ...]
    hidden: tuple[Path, str] | None
    """Where it writes, and how the names of hidden files begin there that must not outlive it if it is stopped."""
    _process: subprocess.Popen[str]
    _status: JobStatus
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    _ended: threading.Event = field(default_factory=threading.Event)
    _stopping: bool = False

    @property
    def status(self) -> JobStatus:
        """Where the job stands now."""
        now = self._status
        return now if now.state != "running" else replace(now, seconds=time.time() - now.started)

    def wait(self, seconds: float | None = None) -> JobStatus:
        """Wait for the end, at most so long; return where the job stands then."""
        self._ended.wait(seconds)
        return self.status

    def cancel(self) -> None:
        """Stop this job's command and what it started; return when it is gone and nothing half-written is left."""
        with _lock:
            is_first, self._stopping = not self._stopping, True
        if is_first and self._process.poll() is None:
            _interrupt(self._process)
        self._ended.wait(2 * PATIENCE_S)


_jobs: OrderedDict[JobKey, Job] = OrderedDict()
_lock = threading.Lock()


def start(key: JobKey, arguments: Sequence[str], hidden: tuple[Path, str] | None = None) -> tuple[Job, bool]:
    """Start a command of the project, or return the job that is making the same already.

    Parameters
    ----------
    arguments : a module and its options, e.g. ``["viz.video", "--what=tokens"]``.
    hidden : see `Job`.

    Returns
    -------
    job : the one that makes it.
    started : whether it was started by this call.

    Raises
    ------
    BusyError
        If as many jobs as may be are under way.
    """
    with _lock:
        known = _jobs.get(key)
        if known is not None and known.status.state == "running":
            return known, False
        running = [job for job in _jobs.values() if job.status.state == "running"]
        if len(running) >= MOST_RUNNING:
            raise BusyError(f"{MOST_RUNNING} jobs are under way: wait for one to end, or cancel one")
        job = Job(key, tuple(arguments), hidden, _process(arguments), JobStatus("running", time.time()))
        _jobs[key] = job
        _jobs.move_to_end(key)
        _forget_old()
    threading.Thread(target=_follow, args=(job,), name=f"job {key.made}", daemon=True).start()
    return job, True


def of_run(run: str) -> list[Job]:
    """Return the jobs that make something of a run, newest first."""
    with _lock:
        return [job for job in reversed(_jobs.values()) if job.key.run == run]


def get(key: JobKey) -> Job | None:
    """Return the job that makes, or last made, this."""
    with _lock:
        return _jobs.get(key)


def forget(key: JobKey) -> None:
    """Drop a job that has ended from what is shown."""
    with _lock:
        if key in _jobs and _jobs[key].status.state != "running":
            del _jobs[key]


def _forget_old() -> None:
    for key in [key for key, job in _jobs.items() if job.status.state != "running"][: max(0, len(_jobs) - MOST_KEPT)]:
        del _jobs[key]


def _process(arguments: Sequence[str]) -> subprocess.Popen[str]:
    # -P and the path: the commands are this project's, whatever the folder that the server was started from holds.
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    environment = {**os.environ, VARIABLE: "lines", "GPTLAB_RUNS": str(runs_folder().absolute()), "PYTHONPATH": path}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # a group of its own: Ctrl-C in the server's terminal is not for it, and it can be ended whole
    )
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 5)  # pages and trainings come first
    return process


def _follow(job: Job) -> None:
    """Read what the command says until it ends, then say how it ended."""
    assert job._process.stdout is not None
    with job._process.stdout as said, contextlib.suppress(ValueError, OSError):
        for line in _lines(said):
            _hear(job, line)
    status = job._process.wait()
    state: JobState = "done" if status == 0 else "cancelled" if job._stopping else "failed"
    if state != "done":
        _sweep(job)
    job._status = replace(job._status, state=state, seconds=time.time() - job._status.started)
    job._ended.set()


def _lines(stream: IO[str]) -> Iterator[str]:
    while line := stream.readline(LONGEST_LINE):
        yield line.strip()


def _hear(job: Job, line: str) -> None:
    try:
        said = json.loads(line)
        what, done, total, note = str(said["what"]), int(said["done"]), int(said["total"]), str(said["note"])
    except (ValueError, KeyError, TypeError):
        is_progress = False
    else:
        is_progress = True
        job._status = replace(job._status, what=what, done=done, total=total, note=note)
    if line and not is_progress:
        job._lines.append(_without_command(line))
        job._status = replace(job._status, lines=tuple(job._lines))


def _without_command(line: str) -> str:
    """Return what a command said without its name before it.

    Examples
    --------
    >>> _without_command("python -m viz.video: the prompt is empty")
    'the prompt is empty'
    """
    head, colon, said = line.partition(": ")
    return said if colon and head.startswith("python -m ") else line


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Ask a command to stop, then make it; its whole group is gone when this returns."""
    for send, patience_s in ((_ask, PATIENCE_S), (_end, 1.0), (_kill, 1.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
        os.killpg(process.pid, signal.SIGKILL)  # an encoder that has outlived its command


def _ask(process: subprocess.Popen[str]) -> None:
    # To the command alone: it closes its encoders itself, as after Ctrl-C.
    process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGTERM) if hasattr(os, "killpg") else process.terminate()


def _kill(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()


def _sweep(job: Job) -> None:
    """Remove the hidden files of a job that did not come to its end."""
    if job.hidden is None:
        return
    folder, beginning = job.hidden
    ending = f".{job._process.pid}"  # as `data.runs.atomic_files.write_bytes` names what it has not finished
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            is_own = path.name.endswith(ending) or (bool(beginning) and path.name.startswith(beginning))
            if is_own and path.name.startswith("."):
                path.unlink(missing_ok=True)


@atexit.register
def end_all() -> None:
    """Stop every job: they end with the server."""
    for job in list(_jobs.values()):
        if job.status.state == "running":
            job.cancel()
