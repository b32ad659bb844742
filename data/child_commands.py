"""Commands that run side by side as processes of their own, under one display of their progress.

Each command reports its progress as records (see `data.progress`). In a terminal it has a bar, otherwise a line when it starts and one
when it ends. What else a command prints on standard error is shown in one piece when it ends, so that nothing is interleaved.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Queue
from typing import IO, TYPE_CHECKING, Any

from data.progress import VARIABLE

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE_S = 10.0
"""How long a command may take to tidy up once it is to stop."""
CTRL_C_S = 5.0
"""How long Ctrl-C, which a terminal sends to every process, may take to be noticed."""

Show = Callable[["Child", "dict[str, Any] | None"], None]
"""Shows a record of a command's progress; None when the command has ended."""


@dataclass(frozen=True)
class ChildCommand:
    """A command that ``python -m`` runs, and what it is called while it does."""

    label: str
    arguments: tuple[str, ...]


@dataclass
class Child:
    """A running command: its process, when it started, and what it has printed that is no progress."""

    command: ChildCommand
    process: subprocess.Popen[str]
    started: float = field(default_factory=time.perf_counter)
    files: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Write in one line what the command has made, and in what time."""
        n, seconds = len(self.files), time.perf_counter() - self.started
        return f"{self.command.label}: {n} file{'' if n == 1 else 's'} in {seconds:.0f} s"


def run_child(arguments: Sequence[str]) -> int:
    """Run a command of ``python -m`` in this terminal, and return its exit status; on Ctrl-C it may tidy up."""
    process = subprocess.Popen([sys.executable, "-m", *arguments])
    try:
        return exit_status(process.wait())
    finally:
        _stop([process])


def run_side_by_side(commands: Sequence[ChildCommand]) -> int:
    """Run commands at the same time, until all have ended or one fails, which ends the others.

    Returns
    -------
    The exit status: 0, or that of the command that failed first. Nothing is left running, not even after Ctrl-C.
    """
    from rich.console import Console

    console = Console(stderr=True)
    children: list[Child] = []
    lines: Queue[tuple[Child, str | None]] = Queue()
    try:
        for command in commands:
            children.append(_start(command, lines))
        with _progress_of(children, console) as show:
            return _follow(lines, len(children), show, console)
    finally:
        _stop([child.process for child in children])


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into `SystemExit` within the ``with``, so that whoever runs commands ends them, too."""

    def end(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_status(returncode: int) -> int:
    """Turn the return code of a process into an exit status; one that a signal ended has 128 plus its number.

    Examples
    --------
    >>> exit_status(2), exit_status(-15)
    (2, 143)
    """
    return returncode if returncode >= 0 else 128 - returncode


def _start(command: ChildCommand, lines: Queue[tuple[Child, str | None]]) -> Child:
    """Start a command, whose lines go to the queue, and None when both of its pipes are closed."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command.arguments],
        env={**os.environ, VARIABLE: "lines", "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    child = Child(command, process)

    def read(pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                lines.put((child, line.rstrip("\n")))

    readers = [threading.Thread(target=read, args=[pipe], daemon=True) for pipe in (process.stdout, process.stderr)]

    def wait() -> None:
        for reader in readers:
            reader.join()
        lines.put((child, None))

    for thread in (*readers, threading.Thread(target=wait, daemon=True)):
        thread.start()
    return child


def _follow(lines: Queue[tuple[Child, str | None]], n_running: int, show: Show, console: Console) -> int:
    """Show what the commands print until all have ended, or one has failed; return the exit status."""
    while n_running:
        child, line = lines.get()
        if line is not None:
            _take(child, line, show)
            continue
        n_running -= 1
        status = exit_status(child.process.wait())
        show(child, None)
        for remark in child.remarks:
            console.print(remark, markup=False, highlight=False, soft_wrap=True)
        if status:
            console.print(f"{child.command.label}: failed with exit status {status}", markup=False, highlight=False)
            return status
        console.print(child.summary(), markup=False, highlight=False, soft_wrap=True)
    return 0


def _take(child: Child, line: str, show: Show) -> None:
    """Show a line that is a record, and keep any other."""
    if line.startswith("wrote "):
        child.files.append(line)
        return
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if isinstance(record, dict) and {"what", "done", "total"} <= record.keys():
        show(child, record)
    elif line:
        child.remarks.append(line)


@contextlib.contextmanager
def _progress_of(children: Sequence[Child], console: Console) -> Iterator[Show]:
    """Show a bar a command in a terminal; elsewhere print which commands run, or pass their records on if they are asked for."""
    if os.environ.get(VARIABLE) == "lines":
        yield lambda _, record: None if record is None else print(json.dumps(record), file=console.file, flush=True)
    elif console.is_terminal:
        with _bars(children, console) as show:
            yield show
    else:
        for child in children:
            print(f"{child.command.label}: started", file=console.file, flush=True)
        yield lambda *_: None


@contextlib.contextmanager
def _bars(children: Sequence[Child], console: Console) -> Iterator[Show]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), TextColumn("{task.fields[what]}"), BarColumn(bar_width=None))
    with Progress(*columns, MofNCompleteColumn(), TimeElapsedColumn(), console=console, expand=True) as progress:
        tasks = {id(child): progress.add_task(child.command.label, total=None, what="") for child in children}

        def show(child: Child, record: dict[str, Any] | None) -> None:
            if record is None:
                progress.remove_task(tasks[id(child)])
            else:
                about = {name: record[name] for name in ("total", "what")}
                progress.update(tasks[id(child)], completed=record["done"], **about)

        yield show


def _stop(processes: Sequence[subprocess.Popen[Any]]) -> None:
    """End the processes that still run: with SIGINT, so that they tidy up; one that does not end in time is killed."""
    if isinstance(sys.exc_info()[1], KeyboardInterrupt):
        # They have got Ctrl-C from the terminal, too; a second one would disturb them.
        _wait(processes, CTRL_C_S)
    for process in processes:
        if process.poll() is None:
            process.terminate() if sys.platform == "win32" else process.send_signal(signal.SIGINT)
    _wait(processes, PATIENCE_S)
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait(processes: Sequence[subprocess.Popen[Any]], seconds: float) -> None:
    """Wait until all processes have ended, but no longer than so many seconds."""
    until = time.monotonic() + seconds
    with contextlib.suppress(subprocess.TimeoutExpired):
        for process in processes:
            process.wait(max(0.0, until - time.monotonic()))
