"""The .json beside every film and figure: what it shows, from which bytes, made how."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from data.runs import Run
from data.runs.atomic_files import write_json

_LIBRARIES = ("numpy", "matplotlib", "openTSNE", "scikit-learn", "umap-learn", "imageio", "xarray")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide how a picture looks."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def write_sidecar(
    path: Path,
    run: Run,
    command: str,
    shown: xr.Dataset | xr.DataArray | None,
    alt_text: str,
    options: Mapping[str, Any],
) -> None:
    """Write ``path`` with .json added to its name.

    It holds the run, the snapshots' hashes, what was computed with which parameters, the options of the command, versions and an alt text,
    and no date: the same inputs give the same sidecar.
    """
    record: dict[str, Any] = {
        "file": path.name,
        "alt_text": alt_text,
        "run": run.name,
        "command": command,
        "options": {key: str(value) if isinstance(value, Path) else value for key, value in options.items()},
        "versions": versions(),
    }
    if shown is not None:
        hashes = zip(np.atleast_1d(shown["step"].values), np.atleast_1d(shown["sha256"].values), strict=True)
        record["projection" if isinstance(shown, xr.Dataset) and "layout" in shown else "probe"] = dict(shown.attrs)
        record["snapshots"] = [{"step": int(step), "sha256": str(digest)} for step, digest in hashes]
    write_json(path.with_name(path.name + ".json"), record)
