"""The states in which a power loss may leave the disk, by POSIX, at any point of a recorded program.

What was not flushed may be lost. Of a file's writes since its last flush, none, some or all may be on the disk, a write may be cut, and a
file may have grown without its contents (zeros). Of the operations on a folder's names since the folder was last flushed, each may be on
the disk or not. Flushing a file does not flush its name.
"""

from __future__ import annotations

import itertools
import math
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.crashes.recording import Operation

BLOCK_BYTES = 4096
MOST_AT_A_POINT = 48

State = Mapping[str, bytes | None]
"""The contents of files by their paths; None for a folder."""


@dataclass
class Contents:
    """A file's bytes on the disk, and the writes and truncations that it has not been told to flush."""

    flushed: bytes = b""
    pending: list[Operation] = field(default_factory=list)

    def versions(self) -> list[bytes]:
        """List what the file may hold after a crash, the flushed bytes first and all writes last."""
        everything = _apply(self.flushed, self.pending)
        if not self.pending:
            return [everything]
        found = [self.flushed, self.flushed + bytes(max(0, len(everything) - len(self.flushed)))]
        found += [_apply(self.flushed, self.pending[:n]) for n in {1, len(self.pending) // 2, len(self.pending) - 1}]
        found += [_apply(self.flushed, self.pending[n:]) for n in {1, len(self.pending) // 2}]  # in another order
        new = len(everything) - len(self.flushed)
        cuts = {1, new // 2, new - 1, new // BLOCK_BYTES * BLOCK_BYTES} if new > 0 else set()
        found += [everything[: len(self.flushed) + cut] for cut in sorted(cuts) if cut > 0]
        return list(dict.fromkeys([*found, everything]))


@dataclass
class Disk:
    """Files and names as the recorded operations leave them; `states` are those that a crash may leave instead."""

    names: dict[str, int] = field(default_factory=dict)
    """The numbers of files by their paths, as on the disk after a crash that keeps nothing; -1 for a folder."""
    contents: dict[int, Contents] = field(default_factory=dict)
    pending: list[Operation] = field(default_factory=list)
    """Operations on names that their folder has not been told to flush."""

    def take(self, operation: Operation) -> None:
        """Follow one operation of the program."""
        kind = operation.kind
        if kind == "make-file":
            self.contents[operation.inode] = Contents()
        if kind in ("make-file", "make-folder", "rename", "remove"):
            self.pending.append(operation)
        elif kind in ("write", "truncate"):
            self.contents[operation.inode].pending.append(operation)
        elif kind == "flush":
            contents = self.contents[operation.inode]
            contents.flushed, contents.pending = _apply(contents.flushed, contents.pending), []
        elif kind == "flush-folder":
            flushed = [each for each in self.pending if _folder(each.path) == operation.path]
            self.names = _named(self.names, flushed)
            self.pending = [each for each in self.pending if _folder(each.path) != operation.path]

    def now(self) -> State:
        """Return what the program sees: everything done so far."""
        return self._state(self.pending, {})

    def states(self, draw: random.Random, most: int = MOST_AT_A_POINT) -> Iterator[State]:
        """Yield states that a crash may leave now; of more than ``most``, some that are drawn at random."""
        kept = [self.pending[:n] for n in range(len(self.pending) + 1)]  # in order
        if len(self.pending) <= 6:
            kept += [
                list(itertools.compress(self.pending, chosen))
                for chosen in itertools.product((0, 1), repeat=len(self.pending))
            ]
        files = {number: each.versions() for number, each in self.contents.items() if each.pending}
        n_states = len(kept) * math.prod(map(len, files.values()))
        if n_states <= most:
            chosen_at_once = itertools.product(kept, itertools.product(*files.values()))
        else:
            chosen_at_once = ((draw.choice(kept), tuple(map(draw.choice, files.values()))) for _ in range(most))
        for names, versions in chosen_at_once:
            yield self._state(names, dict(zip(files, versions, strict=True)))

    def _state(self, kept: Sequence[Operation], chosen: Mapping[int, bytes]) -> State:
        found: dict[str, bytes | None] = {}
        for path, number in sorted(_named(self.names, kept).items()):
            if number < 0:
                found[path] = None
            else:
                contents = self.contents[number]
                found[path] = chosen.get(number, _apply(contents.flushed, contents.pending))
        return {path: content for path, content in found.items() if _is_reachable(path, found)}


def crash_states(operations: Sequence[Operation], seed: int) -> Iterator[tuple[State, list[object]]]:
    """Yield distinct states that crashes at every point may leave, each with what was acknowledged before that point."""
    disk, seen, acknowledged, draw = Disk(), set[int](), list[object](), random.Random(seed)
    for operation in operations:
        if operation.kind == "acknowledge":
            acknowledged = [*acknowledged, operation.what]
        else:
            disk.take(operation)
        for state in disk.states(draw):
            mark = hash((tuple(state.items()), len(acknowledged)))
            if mark not in seen:
                seen.add(mark)
                yield state, acknowledged


def write_state(state: State, folder: Path) -> None:
    """Write a state of the disk into an empty folder."""
    for path, content in state.items():
        target = folder / path
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def read_state(folder: Path, ignored: set[str]) -> State:
    """Read a folder as a state of the disk."""
    paths = sorted(path for path in folder.rglob("*") if path.name not in ignored)
    return {path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes() for path in paths}


def _apply(flushed: bytes, operations: Sequence[Operation]) -> bytes:
    if not operations:
        return flushed
    content = bytearray(flushed)
    for operation in operations:
        if operation.kind == "truncate":
            del content[operation.at :]
            content.extend(bytes(operation.at - len(content)))
        else:
            content.extend(bytes(max(0, operation.at - len(content))))
            content[operation.at : operation.at + len(operation.what)] = operation.what
    return bytes(content)


def _named(names: Mapping[str, int], operations: Sequence[Operation]) -> dict[str, int]:
    found = dict(names)
    for operation in operations:
        if operation.kind in ("make-file", "make-folder"):
            found[operation.path] = operation.inode
        elif operation.kind == "remove":
            found.pop(operation.path, None)
        else:
            found.pop(operation.path, None)
            found[operation.what] = operation.inode
    return found


def _folder(path: str) -> str:
    return os.path.dirname(path) or "."


def _is_reachable(path: str, found: Mapping[str, bytes | None]) -> bool:
    """Check that all folders above a path are there."""
    folder = _folder(path)
    return folder == "." or (folder in found and _is_reachable(folder, found))
