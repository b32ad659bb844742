"""What takes the room in a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

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
    for path in run.path.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        parts = path.relative_to(run.path).parts
        part = parts[0] if len(parts) > 1 else OTHER
        n_files[part] += 1
        n_bytes[part] += path.stat().st_size
    return [PartSize(part, n_files[part], size) for part, size in n_bytes.most_common()]
