"""What a program asks of the disk, recorded: every file made, written, flushed, renamed and removed below a folder, in order.

`recording` puts itself between the program and the functions of `os` that `data.files.atomic_files` and `pathlib` call. Files that are
written in another way would be missed, so `crash_states.Disk` compares the folder with what was recorded.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IGNORED = {"training.lock"}
"""Not part of what must survive: the kernel holds the lock, and the file's contents only name who does."""


@dataclass(frozen=True)
class Operation:
    """Something that was asked of the disk.

    ``kind`` is make-file, make-folder, write, truncate, flush, flush-folder, rename, remove or acknowledge. ``path`` is below the recorded
    folder; ``inode`` numbers a file over all its names; ``at`` is the place of a write, or the size after a truncation; ``what`` are the
    bytes, the new path, or what was acknowledged.
    """

    kind: str
    path: str
    inode: int = -1
    at: int = 0
    what: Any = None


@dataclass
class Recorder:
    """Collects operations; `acknowledge` notes that the program was told that something is safe."""

    root: Path
    operations: list[Operation] = field(default_factory=list)
    inodes: dict[int, int] = field(default_factory=dict)
    """The numbers of files by their inode on the disk."""
    opened: dict[int, tuple[str, int, bool]] = field(default_factory=dict)
    """Path, number and whether it is a folder, by descriptor."""
    count: int = 0

    def acknowledge(self, what: object) -> None:
        self.operations.append(Operation("acknowledge", "", what=what))

    def note(self, kind: str, path: str, **more: Any) -> None:
        self.operations.append(Operation(kind, path, **more))

    def below(self, path: object) -> str | None:
        """Return a path below the recorded folder, None if it is elsewhere or ignored."""
        if not isinstance(path, (str, os.PathLike)):
            return None
        absolute = os.path.abspath(os.fspath(path))
        relative = os.path.relpath(absolute, self.root)
        is_ours = not relative.startswith("..") and os.path.basename(absolute) not in IGNORED
        return relative if is_ours else None

    def number(self, status: os.stat_result, *, is_new: bool) -> int:
        """Return the number of a file; the system gives the inode of a removed file to a new one."""
        if is_new or status.st_ino not in self.inodes:
            self.inodes[status.st_ino] = self.count = self.count + 1
        return self.inodes[status.st_ino]


@contextlib.contextmanager
def recording(root: Path) -> Iterator[Recorder]:
    """Record what is asked of the disk below a folder while the context lasts."""
    recorder = Recorder(root.resolve())
    real = {name: getattr(os, name) for name in _WRAPPERS}
    try:
        for name, wrap in _WRAPPERS.items():
            setattr(os, name, wrap(recorder, real[name]))
        yield recorder
    finally:
        for name, function in real.items():
            setattr(os, name, function)


Wrapped = Callable[..., Any]


def _open(recorder: Recorder, real: Wrapped) -> Wrapped:
    def opened(path: Any, flags: int, *args: Any, **named: Any) -> int:
        below = None if "dir_fd" in named else recorder.below(path)
        is_new = below is not None and not os.path.lexists(path)
        descriptor: int = real(path, flags, *args, **named)
        if below is not None:
            status = os.fstat(descriptor)
            is_folder = stat.S_ISDIR(status.st_mode)
            inode = -1 if is_folder else recorder.number(status, is_new=is_new)
            recorder.opened[descriptor] = below, inode, is_folder
            if is_new:
                recorder.note("make-file", below, inode=inode)
        return descriptor

    return opened


def _close(recorder: Recorder, real: Wrapped) -> Wrapped:
    def close(descriptor: int) -> None:
        recorder.opened.pop(descriptor, None)
        real(descriptor)

    return close


def _write(recorder: Recorder, real: Wrapped) -> Wrapped:
    def write(descriptor: int, content: Any) -> int:
        written: int = real(descriptor, content)
        if descriptor in recorder.opened:
            path, inode, _ = recorder.opened[descriptor]
            at = os.lseek(descriptor, 0, os.SEEK_CUR) - written
            recorder.note("write", path, inode=inode, at=at, what=bytes(content)[:written])
        return written

    return write


def _flush(recorder: Recorder, real: Wrapped) -> Wrapped:
    def flush(descriptor: int) -> None:
        real(descriptor)
        if descriptor in recorder.opened:
            path, inode, is_folder = recorder.opened[descriptor]
            recorder.note("flush-folder" if is_folder else "flush", path, inode=inode)

    return flush


def _truncate(recorder: Recorder, real: Wrapped) -> Wrapped:
    def truncate(descriptor: int, size: int) -> None:
        real(descriptor, size)
        if descriptor in recorder.opened:
            path, inode, _ = recorder.opened[descriptor]
            recorder.note("truncate", path, inode=inode, at=size)

    return truncate


def _rename(recorder: Recorder, real: Wrapped) -> Wrapped:
    def rename(source: Any, target: Any, **named: Any) -> None:
        before, after = recorder.below(source), recorder.below(target)
        inode = -1 if before is None else recorder.number(os.lstat(source), is_new=False)
        real(source, target, **named)
        if before is not None and after is not None:
            recorder.note("rename", before, inode=inode, what=after)

    return rename


def _remove(recorder: Recorder, real: Wrapped) -> Wrapped:
    def remove(path: Any, **named: Any) -> None:
        real(path, **named)
        if "dir_fd" not in named and (below := recorder.below(path)) is not None:
            recorder.note("remove", below)

    return remove


def _make_folder(recorder: Recorder, real: Wrapped) -> Wrapped:
    def make_folder(path: Any, *args: Any, **named: Any) -> None:
        real(path, *args, **named)
        if (below := recorder.below(path)) is not None:
            recorder.note("make-folder", below)

    return make_folder


_WRAPPERS: dict[str, Callable[[Recorder, Wrapped], Wrapped]] = {
    "open": _open,
    "close": _close,
    "write": _write,
    "fsync": _flush,
    "ftruncate": _truncate,
    "replace": _rename,
    "rename": _rename,
    "unlink": _remove,
    "remove": _remove,
    "mkdir": _make_folder,
}
