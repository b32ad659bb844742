"""The films of a run: their files, the request in the sidecar beside them, and titles for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.state import run_list
from dashboards.state.language import Translation
from data.errors import InputError
from data.language.displayed_names import names
from data.runs import Run
from viz.projection.projector import METHODS
from viz.registry import FILMS
from viz.request import FilmRequest
from viz.sidecar import read_sidecar, sidecar_path

SUFFIXES = (".mp4", ".gif")


@dataclass(frozen=True)
class FilmFiles:
    """A film in its formats: ``files`` by suffix, the sidecar of the first, and the request and alt text in it, where it can be read."""

    stem: str
    files: dict[str, Path]
    sidecar: Path | None
    request: FilmRequest | None
    alt_text: str


def films(run: Run) -> list[FilmFiles]:
    """List the films of a run, newest first."""
    by_stem: dict[str, dict[str, Path]] = {}
    for path in run_list.files(run, "films", SUFFIXES):
        by_stem.setdefault(path.stem, {})[path.suffix] = path
    return [_film(run, stem, files) for stem, files in by_stem.items()]


def _film(run: Run, stem: str, files: dict[str, Path]) -> FilmFiles:
    files = {suffix: files[suffix] for suffix in SUFFIXES if suffix in files}
    beside = (path for path in files.values() if sidecar_path(path).is_file() and not sidecar_path(path).is_symlink())
    described = next(beside, None)
    sidecar = None if described is None else sidecar_path(described)
    record = {} if described is None else _read(described)
    request, alt_text = _request(record.get("options")), record.get("alt_text")
    return FilmFiles(stem, files, sidecar, request, alt_text if isinstance(alt_text, str) else "")


def _read(path: Path) -> dict[str, Any]:
    """Read the sidecar of a film; empty where it is damaged."""
    try:
        return read_sidecar(path)
    except (OSError, ValueError):
        return {}


def _request(options: Any) -> FilmRequest | None:
    """Read the request of a sidecar; None where it is damaged."""
    if not isinstance(options, dict) or "what" not in options:
        return None
    try:
        request = FilmRequest.from_record(options)
    except InputError:
        return None
    return request if request.what in FILMS else None


def title(film: FilmFiles, say: Translation) -> str:
    """Title a film in the reader's language; by its file where the sidecar is missing or damaged."""
    if film.request is None:
        return film.stem
    kind = film.request.kind
    parts = [kind.labels[say.language]]
    if "method" in kind.fields:
        parts.append(METHODS[film.request.method])
    parts += [_group_name(group if isinstance(group, str) else group.name, say) for group in film.request.highlight]
    if film.request.prompt:
        parts.append(f"“{_short(film.request.prompt)}”")
    return " · ".join(parts)


def _group_name(text: str, say: Translation) -> str:
    """Write the names of classes in a group as the reader's language has them; items stay as they were typed."""
    classes = names()["classes"]
    parts = ((part, classes.get(part.strip())) for part in text.split(","))
    return ",".join(part if found is None else found[say.language] for part, found in parts)


def details(film: FilmFiles, say: Translation) -> str:
    """Write in a line how a film was made: control, runs, colours, size."""
    request = film.request
    if request is None:
        return ", ".join(suffix[1:].upper() for suffix in film.files)
    parts = [say("embeddings.cosine")] if request.metric == "cosine" else []
    places = {"layer": request.layer, "head": request.head}
    parts += [f"{say(f'slider.{name}')} {at}" for name, at in places.items() if at is not None]
    if request.control:
        parts.append(say(f"films.beside_{request.control}"))
    if request.runs:
        parts.append(_short(request.runs))
    return " · ".join([*parts, say(f"films.{request.theme}"), request.size.replace("x", " × ")])


def _short(text: str, most: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
