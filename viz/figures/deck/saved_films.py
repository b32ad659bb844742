"""The films in a run's folder: what their sidecars tell, whether they show the run as it is now, and their order in a talk."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.notices import notify
from data.runs import Run, open_run
from viz.registry import FILMS
from viz.request import FilmRequest
from viz.sidecar import read_sidecar, sidecar_path


@dataclass(frozen=True)
class SavedFilm:
    """An MP4 with its sidecar."""

    path: Path
    request: FilmRequest
    record: Mapping[str, Any]
    """The sidecar."""
    age: str = ""
    """``film of step 400; the run is at 5,000``, where the run has gone on or was trained anew since; else empty."""

    @property
    def title(self) -> str:
        """The title in the picture; empty in sidecars that do not have it yet."""
        return str(self.record.get("title", ""))


def saved_films(run: Run) -> list[SavedFilm]:
    """List the films of a run that can be read, in the order of a talk.

    First comes a film of the run as it is now: of positions before tokens and the others, with a highlight before one without. A film
    beside its control follows the same film without. Films of several runs are last, and after them the older ones.
    """
    paths = [path for path in sorted(run.inside("films").glob("*.mp4")) if sidecar_path(path).is_file()]
    films = [film for path in paths if (film := _read(run, path)) is not None]
    single = {film.request.file_name for film in films if film.request.control is None}
    return sorted(films, key=lambda film: _place(film, single))


def _read(run: Run, path: Path) -> SavedFilm | None:
    try:
        record = read_sidecar(path)
        request = FilmRequest.from_record(record["options"])
        return SavedFilm(path, request, record, _age(run, request, record)) if request.kind else None
    except (ValueError, OSError):
        notify(f"{path.name} is left out, since {sidecar_path(path).name} cannot be read: make the film again")
        return None


def _place(film: SavedFilm, single: set[str]) -> tuple[Any, ...]:
    """Compute the key by which films are sorted; ``single`` are the names of those without a control."""
    request = film.request
    alone = replace(request, control=None)
    is_alone = request.control is not None and alone.file_name not in single
    kind = list(FILMS).index(request.what)
    return (
        bool(film.age),
        request.runs is not None,
        is_alone,
        kind,
        not request.highlight,
        alone.file_name,
        request.control or "",
    )


def _age(run: Run, request: FilmRequest, record: Mapping[str, Any]) -> str:
    """Compare the snapshots of a film with those that the run has now."""
    shown = {int(one["step"]): str(one["sha256"]) for one in record.get("snapshots", ())}
    now = {int(one["step"]): str(one["sha256"]) for one in run.manifest()}
    if not shown or not now:
        return ""
    last, newest = max(shown), _newest_step(run, request)
    if last > newest or any(now.get(step, digest) != digest for step, digest in shown.items()):
        return f"film of step {last:,} of an earlier training; the run was trained anew"
    return f"film of step {last:,}; the run is at {newest:,}" if last < newest and request.step is None else ""


def _newest_step(run: Run, request: FilmRequest) -> int:
    """Find the last step of the run, or the last one that all runs of the film have that are still there."""
    steps = {int(one["step"]) for one in run.manifest()}
    common = set(steps)
    for name in request.run_names:
        with contextlib.suppress(InputError):
            common &= {int(one["step"]) for one in open_run(name).manifest()}
    return max(common or steps)
