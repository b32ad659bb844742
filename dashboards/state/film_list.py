"""The films of a run: their files, what the sidecar beside them says, and the words for it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.state import run_list
from dashboards.state.language import Translation
from data.runs import Run
from viz.video import FilmRequest

SUFFIXES = (".mp4", ".gif")
METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
LONGEST_SIDECAR = 10_000_000


@dataclass(frozen=True)
class FilmFiles:
    """A film in its formats: ``files`` by suffix, the sidecar of the first, and the options and alt text it holds, if it can be read."""

    stem: str
    files: dict[str, Path]
    sidecar: Path | None
    options: dict[str, Any]
    alt_text: str


def films(run: Run) -> list[FilmFiles]:
    """Return the films of a run, newest first."""
    by_stem: dict[str, dict[str, Path]] = {}
    for path in run_list.files(run, "films", SUFFIXES):
        by_stem.setdefault(path.stem, {})[path.suffix] = path
    return [_film(run, stem, files) for stem, files in by_stem.items()]


def _film(run: Run, stem: str, files: dict[str, Path]) -> FilmFiles:
    files = {suffix: files[suffix] for suffix in SUFFIXES if suffix in files}
    sidecars = [path.with_name(f"{path.name}.json") for path in files.values()]
    sidecar = next((path for path in sidecars if path.is_file() and run_list.is_within(path, run.path)), None)
    said = read_sidecar(sidecar) if sidecar else {}
    options, alt_text = said.get("options"), said.get("alt_text")
    return FilmFiles(
        stem,
        files,
        sidecar,
        options if isinstance(options, dict) else {},
        alt_text if isinstance(alt_text, str) else "",
    )


def read_sidecar(path: Path) -> dict[str, Any]:
    """Return what a sidecar says, nothing where it is damaged."""
    try:
        if path.stat().st_size > LONGEST_SIDECAR:
            return {}
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def title(film: FilmFiles, say: Translation) -> str:
    """Name a film in the reader's words; by its file where the sidecar does not say what it shows."""
    what = film.options.get("what")
    if what not in ("positions", "tokens", "attention", "scores", "gram"):
        return film.stem
    parts = [say(f"films.{what}")]
    if what in ("positions", "tokens"):
        parts.append(METHODS.get(str(film.options.get("method")), ""))
    highlight = film.options.get("highlight")
    if isinstance(highlight, list):
        parts += [str(group) for group in highlight]
    if isinstance(film.options.get("prompt"), str):
        parts.append(f"“{_short(film.options['prompt'])}”")
    return " · ".join(part for part in parts if part)


def details(film: FilmFiles, say: Translation) -> str:
    """Say in a line how a film was made: control, runs, colours, size."""
    options = film.options
    parts = []
    if options.get("metric") == "cosine":
        parts.append(say("embeddings.cosine"))
    parts += [
        f"{say(f'slider.{name}')} {options[name]}" for name in ("layer", "head") if isinstance(options.get(name), int)
    ]
    if options.get("control") in ("shuffled", "init"):
        parts.append(say(f"films.beside_{options['control']}"))
    if isinstance(options.get("runs"), str):
        parts.append(_short(options["runs"]))
    if options.get("theme") in ("light", "dark"):
        parts.append(say(f"films.{options['theme']}"))
    if isinstance(options.get("size"), str):
        parts.append(options["size"].replace("x", " × "))
    return " · ".join(parts) or ", ".join(suffix[1:].upper() for suffix in film.files)


def arguments(wish: FilmRequest) -> list[str]:
    """Return the command line that makes a film, options left as they are left out.

    Examples
    --------
    >>> arguments(FilmRequest(what="tokens", highlight=("a,e", "-"), trust=False, run="r"))
    ['--what=tokens', '--highlight=a,e', '--highlight=-', '--no-trust', '--run=r']
    """
    given = []
    for field in dataclasses.fields(FilmRequest):
        value, name = getattr(wish, field.name), field.name.replace("_", "-")
        if value == field.default:
            continue
        if isinstance(value, bool):
            given.append(f"--{'' if value else 'no-'}{name}")
        else:
            given += [f"--{name}={one}" for one in (value if isinstance(value, tuple) else (value,))]
    return given


def _short(text: str, most: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
