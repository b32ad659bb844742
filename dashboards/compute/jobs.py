"""Commands of the project that run as processes behind a page; every tab sees their progress and their end.

A job is known by what it makes (`JobKey`): whoever asks for a film that is being rendered is given the running job. A job is cancelled as
by Ctrl-C, so that the command tidies up after itself. What it leaves behind is removed here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
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
# How long a cancelled command may take to tidy up before it is terminated.
PATIENCE_S = 5.0
INTERRUPT, KILL = (signal.SIGINT, signal.SIGKILL) if os.name == "posix" else (signal.SIGTERM, signal.SIGTERM)
ROOT = Path(__file__).resolve().parents[2]


class BusyError(InputError):
    """Another job was requested while the maximum number of jobs is running."""


@dataclass(frozen=True)
class JobKey:
    """What a job makes: a part of a run, named by folder and file stem, e.g. ``films/tokens-tsne``."""

    run: str
    made: str


@dataclass(frozen=True)
class JobStatus:
    """The status of a job: the last progress that the command reported, and the last other ``lines`` that it printed."""

    state: JobState
    started: float  # seconds since 1970
    what: str = ""
    done: float = 0
    total: int = 0
    note: str = ""
    lines: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """The last line that the command printed: its error message if it failed."""
        return self.lines[-1] if self.lines else ""

    @property
    def share(self) -> float:
        """The finished share of the current part, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass
class Job:
    """A command that runs as a process. Its fields belong to this module; pages read `status`."""

    key: JobKey
    hidden: tuple[Path, str] | None
    """Folder and prefix of the hidden files that are removed if the job does not finish."""
    _process: subprocess.Popen[str]
    _status: JobStatus
    _ended: threading.Event = field(default_factory=threading.Event)
    _cancelled: threading.Lock = field(default_factory=threading.Lock)
    """Acquired by the first call of `cancel`, and never released."""

    @property
    def status(self) -> JobStatus:
        """The current status."""
        now = self._status
        return now if now.state != "running" else replace(now, seconds=time.time() - now.started)

    def wait(self, seconds: float | None = None) -> JobStatus:
        """Wait at most ``seconds`` for the end, and return the status."""
        self._ended.wait(seconds)
        return self.status

    def cancel(self) -> None:
        """Stop the command and all it started; on return they have ended and no unfinished file is left."""
        is_first = self._cancelled.acquire(blocking=False)
        if is_first and self._process.poll() is None:
            _stop(self._process)
        self._ended.wait(2 * PATIENCE_S)


class Jobs:
    """The jobs of a server; `MOST_RUNNING` at a time, and the last `MOST_KEPT` are remembered."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[JobKey, Job] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, key: JobKey, arguments: Sequence[str], hidden: tuple[Path, str] | None = None) -> tuple[Job, bool]:
        """Start a command of the project, or return the running job with the same key; the second value is whether it is new.

        ``arguments`` are a module and its options, e.g. ``["viz.video", "--what=tokens"]``. `BusyError` is raised if `MOST_RUNNING` other
        jobs are running.
        """
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and known.status.state == "running":
                return known, False
            if len(self._running()) >= MOST_RUNNING:
                raise BusyError(f"{MOST_RUNNING} jobs are under way: wait for one to end, or cancel one")
            job = Job(key, hidden, _process(arguments), JobStatus("running", time.time()))
            self._jobs[key] = job
            self._jobs.move_to_end(key)
            self._forget_old()
        threading.Thread(target=_follow, args=(job,), name=f"job {key.made}", daemon=True).start()
        return job, True

    def of_run(self, run: str) -> list[Job]:
        """List the jobs of a run, newest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.key.run == run]

    def get(self, key: JobKey) -> Job | None:
        """Return the last job with this key, or None."""
        with self._lock:
            return self._jobs.get(key)

    def forget(self, key: JobKey) -> None:
        """Drop a job that has ended."""
        with self._lock:
            if key in self._jobs and self._jobs[key].status.state != "running":
                del self._jobs[key]

    def end_all(self) -> None:
        """Cancel every running job."""
        for job in self._running():
            job.cancel()

    def _running(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.status.state == "running"]

    def _forget_old(self) -> None:
        ended = [key for key, job in self._jobs.items() if job.status.state != "running"]
        for key in ended[: max(0, len(self._jobs) - MOST_KEPT)]:
            del self._jobs[key]


def _process(arguments: Sequence[str]) -> subprocess.Popen[str]:
    # -P and the path: the modules are this project's, whatever the folder holds in which the server was started.
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
        start_new_session=True,  # a process group of its own: Ctrl-C in the terminal does not reach it, and it is killed as a whole
    )
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 5)  # pages and trainings come first
    return process


def _follow(job: Job) -> None:
    """Read the output of a command until it ends, then set its final status."""
    assert job._process.stdout is not None
    with job._process.stdout as output, contextlib.suppress(ValueError, OSError):
        for line in _lines(output):
            _read_line(job, line)
    status = job._process.wait()
    state: JobState = "done" if status == 0 else "cancelled" if job._cancelled.locked() else "failed"
    if state != "done":
        _remove_hidden_files(job)
    job._status = replace(job._status, state=state, seconds=time.time() - job._status.started)
    job._ended.set()


def _lines(stream: IO[str]) -> Iterator[str]:
    while line := stream.readline(LONGEST_LINE):
        yield line.strip()


def _read_line(job: Job, line: str) -> None:
    try:
        record = json.loads(line)
        what, done, total, note = str(record["what"]), float(record["done"]), int(record["total"]), str(record["note"])
    except (ValueError, KeyError, TypeError):  # not progress
        if line:
            lines = (*job._status.lines, _without_command(line))
            job._status = replace(job._status, lines=lines[-MOST_LINES:])
    else:
        job._status = replace(job._status, what=what, done=done, total=total, note=note)


def _without_command(line: str) -> str:
    """Remove the name of the command from the beginning of a line.

    Examples
    --------
    >>> _without_command("python -m viz.video: the prompt is empty")
    'the prompt is empty'
    """
    head, colon, message = line.partition(": ")
    return message if colon and head.startswith("python -m ") else line


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt a command, then terminate it, then kill it, until it ends; on return its process group has ended."""
    send_group = partial(os.killpg, process.pid) if hasattr(os, "killpg") else process.send_signal
    # Only the command is interrupted: it closes its encoders itself, as after Ctrl-C.
    attempts = (
        (process.send_signal, INTERRUPT, PATIENCE_S),
        (send_group, signal.SIGTERM, 1.0),
        (send_group, KILL, 1.0),
    )
    for send, number, patience_s in attempts:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send_group(KILL)  # an encoder that outlived its command


def _remove_hidden_files(job: Job) -> None:
    """Remove the hidden files of a job that did not finish."""
    if job.hidden is None:
        return
    folder, prefix = job.hidden
    ending = f".{job._process.pid}"  # the suffix of unfinished files, see `data.files.atomic_files.write_bytes`
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            is_own = path.name.endswith(ending) or (bool(prefix) and path.name.startswith(prefix))
            if is_own and path.name.startswith("."):
                path.unlink(missing_ok=True)
