"""What takes the room in a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.files.remote_files import is_remote, reached, remote_files
from data.runs import Run

OTHER = "records"
"""The files of the run's folder itself: its description, metrics, samples."""


@dataclass(frozen=True)
class PartSize:
    """The number of files and of bytes in a part of a run; the part is a folder of it, or `OTHER`."""

    part: str
    n_files: int
    n_bytes: int


def part_sizes(run: Run) -> list[PartSize]:
    """Measure the parts of a run, the largest first; links are not followed, and count as nothing."""
    n_files, n_bytes = Counter[str](), Counter[str]()
    for name, size in _files(run.path):
        part = name.split("/")[0] if "/" in name else OTHER
        n_files[part] += 1
        n_bytes[part] += size
    return [PartSize(part, n_files[part], size) for part, size in n_bytes.most_common()]


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the path below a folder of each file in it, and its size in bytes."""
    if is_remote(folder):
        with reached(folder):
            yield from remote_files(folder)
        return
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path.stat().st_size
