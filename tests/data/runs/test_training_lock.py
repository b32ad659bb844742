"""One process trains a run; the kernel knows which."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.errors import InputError
from data.runs.training_lock import LOCK_FILE, is_training, lock_run
from tests.commands import ROOT
from tests.conftest import command_environment

HOLD = """
import sys, time
from pathlib import Path
from data.runs.training_lock import lock_run
held = lock_run(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=ROOT,
        env=command_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_in_a_line_that_names_the_first(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    assert is_training(tmp_path)
    with pytest.raises(
        InputError, match=rf"is in training by process {holder.pid} on .* since 2\d\d\d-.*: wait for its end"
    ):
        lock_run(tmp_path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert not is_training(tmp_path)
    lock_run(tmp_path).release()


def test_a_lock_is_free_after_its_release_and_a_damaged_note_of_its_holder_does_no_harm(tmp_path: Path) -> None:
    assert not is_training(tmp_path)
    held = lock_run(tmp_path)
    assert is_training(tmp_path)
    (tmp_path / LOCK_FILE).write_text("nonsense")
    with pytest.raises(InputError, match="by another process"):
        lock_run(tmp_path)
    held.release()
    held.release()
    assert not is_training(tmp_path)


def test_a_reader_does_not_keep_a_training_from_starting(tmp_path: Path) -> None:
    lock_run(tmp_path).release()
    for _ in range(50):
        assert not is_training(tmp_path)
        lock_run(tmp_path).release()
        time.sleep(0)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_who_may_only_read_takes_a_run_for_idle(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_run(tmp_path).release()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("data.runs.training_lock.FileLock.acquire", refuse)
    assert not is_training(tmp_path)


def test_a_pipe_in_the_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOCK_FILE)
    with pytest.raises(InputError, match="is not a regular file: put the file itself there"):
        lock_run(tmp_path)
