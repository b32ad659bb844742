"""The .json file beside every film and figure: what it shows, of which snapshots, and how it was made."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import xarray as xr

from data.files.atomic_files import write_json
from data.files.json_files import read_json

if TYPE_CHECKING:
    from viz.figures.figure import Figure
    from viz.films.film import Film

_LIBRARIES = ("numpy", "matplotlib", "openTSNE", "scikit-learn", "umap-learn", "imageio", "xarray")


def versions() -> dict[str, str]:
    """Look up the versions of Python and of the libraries that affect a picture."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def write_sidecar(path: Path, product: Film | Figure, command: str) -> None:
    """Write ``path`` with .json added to its name.

    It holds the run, the hashes of the snapshots, what was computed with which parameters, the request, the versions of libraries and an
    alt text. It holds no date: the same inputs give the same sidecar.
    """
    record: dict[str, Any] = {
        "file": path.name,
        "title": product.title,
        "alt_text": product.alt_text,
        "run": product.run.name,
        "command": command,
        "options": product.request.to_record(),
        "versions": versions(),
    }
    shown = product.shown
    if shown is not None:
        hashes = zip(np.atleast_1d(shown["step"].values), np.atleast_1d(shown["sha256"].values), strict=True)
        record["projection" if isinstance(shown, xr.Dataset) and "layout" in shown else "probe"] = dict(shown.attrs)
        record["snapshots"] = [{"step": int(step), "sha256": str(digest)} for step, digest in hashes]
    write_json(sidecar_path(path), record)


def sidecar_path(path: Path) -> Path:
    """Name the sidecar of a film or figure."""
    return path.with_name(f"{path.name}.json")


class ShownSnapshot(msgspec.Struct):
    """A snapshot that a picture shows, by step and hash."""

    step: int
    sha256: str


class Sidecar(msgspec.Struct):
    """The keys of a sidecar that are read again."""

    options: dict[str, Any]
    alt_text: str
    command: str = ""
    run: str | None = None
    title: str = ""
    snapshots: list[ShownSnapshot] = []
    versions: dict[str, Any] = {}


def read_sidecar(path: Path) -> dict[str, Any]:
    """Read the sidecar of a film or figure.

    Raises
    ------
    DamagedError, UnsafeFileError, OSError
        If it is damaged, a link, or not there; see `data.files.json_files.read_json`.
    """
    record: dict[str, Any] = read_json(sidecar_path(path), Sidecar)
    return record
