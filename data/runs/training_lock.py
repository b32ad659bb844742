"""The lock of a run: one process trains it, held by the kernel, so that it ends with the process."""

from __future__ import annotations

import datetime
import os
import socket
from errno import EACCES, EPERM, EROFS
from pathlib import Path

from filelock import FileLock, Timeout

from data.errors import InputError
from data.files.atomic_files import encode_json
from data.files.json_files import DamagedError, read_json
from data.files.regular_files import inside, open_regular
from data.files.remote_files import check_local, is_remote

LOCK_FILE = "training.lock"
PATIENCE_S = 0.5
"""A reader that asks whether a run is in training holds its lock for a moment."""


class TrainingLock:
    """The lock of a run, held until `release` or the end of the process; see `lock_run`."""

    def __init__(self, lock: FileLock):
        self._lock = lock

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        self._lock.release()


def lock_run(path: Path) -> TrainingLock:
    """Take the lock of a run; that of a dead process is free.

    Parameters
    ----------
    path : the run's folder.

    Raises
    ------
    InputError
        If another process holds it; the message names the process. If something else than a file has its name.
    """
    check_local(path)
    file = inside(path, LOCK_FILE)
    if file.exists():
        open_regular(file).close()
    lock = FileLock(file, timeout=PATIENCE_S)
    try:
        lock.acquire()
    except Timeout:
        holder = _holder(file)
        raise InputError(f"run {path.name!r} is in training by {holder}: wait for its end, or stop it first") from None
    _write_holder(file)
    return TrainingLock(lock)


def is_training(path: Path) -> bool:
    """Check whether a process holds the lock of a run, without waiting for it; what is no regular file is no lock.

    The locks of other file systems than that of this machine, or of a folder that may only be read, cannot be asked, and count as free.
    """
    file = path / LOCK_FILE
    if is_remote(path) or file.is_symlink() or not file.is_file():
        return False
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError as error:  # whoever may not write cannot ask; nobody trains on a disk that is read-only
        return error.errno not in (EROFS, EACCES, EPERM)
    lock.release()
    return False


def _write_holder(file: Path) -> None:
    """Write into the lock file who holds it; it is not replaced, since the lock belongs to the file."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    content = encode_json({"process": os.getpid(), "machine": socket.gethostname(), "since": now})
    with file.open("r+b") as opened:
        opened.truncate()
        opened.write(content)


def _holder(file: Path) -> str:
    try:
        found = read_json(file, dict[str, int | str])
        return f"process {found['process']} on {found['machine']} since {found['since']}"
    except (DamagedError, OSError, KeyError, InputError):
        return "another process"
