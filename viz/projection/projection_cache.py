"""A cache of projections on disk, by content, so that a second film or figure of the same snapshots is drawn at once."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, TypedDict, Unpack

import msgspec
import numpy as np
import xarray as xr

from data.files.atomic_files import write_bytes
from data.files.json_files import parse_json
from data.files.regular_files import open_regular
from data.files.remote_files import is_remote
from data.free_cores import free_cores
from data.notices import notify
from data.progress import Progress
from data.runs import Run
from viz.projection.projector import AXES, project
from viz.projection.torch_engine.devices import layout_device
from viz.sidecar import versions

# To be raised whenever the code lays out the same data differently, so that no outdated layout is used.
LAYOUT_VERSION = 7
ITEMS_FOR_THREADS = 1000


class ProjectionOptions(TypedDict, total=False):
    """The options of `viz.projection.projector.project` that decide the layout; they are part of the key."""

    n_axes: int
    metric: str
    seed: int
    perplexity: float | None
    device: str


class CachedLayout(msgspec.Struct):
    """What a cached layout says of its arrays: their dimensions by name, and the attributes of all."""

    dims: dict[str, list[str]]
    attrs: dict[str, Any]


DEFAULTS = ProjectionOptions(n_axes=2, metric="euclidean", seed=0, perplexity=None)


def cached_projection(
    run: Run,
    trajectory: xr.DataArray,
    method: str,
    *,
    progress: Progress | None = None,
    fidelity_progress: Progress | None = None,
    **options: Unpack[ProjectionOptions],
) -> xr.Dataset:
    """Project a trajectory, or read the projection from ``projections/`` of the run if it was made before.

    The key of the cache consists of the snapshots' hashes, the method and its parameters, the seed and the libraries' versions. Arguments,
    result and errors are those of `viz.projection.projector.project`; the result also has the coordinate ``sha256`` (step).
    """
    path = _path(run, trajectory, method, options)
    if (cached := _read(path, trajectory)) is not None:
        if progress is not None:
            progress(trajectory.sizes["step"])
        return cached
    # For few items more threads only cost time.
    n_jobs = 1 if trajectory.shape[1] < ITEMS_FOR_THREADS else free_cores()
    projection = project(
        trajectory, method, progress=progress, fidelity_progress=fidelity_progress, n_jobs=n_jobs, **options
    )
    projection = projection.assign_coords(sha256=trajectory["sha256"])
    if is_remote(path):  # nothing is written there
        return projection
    try:
        write_bytes(path, _encode(projection))
    except OSError as error:
        reason = error.strerror or str(error)
        notify(f"the layout {path.name} is not kept and will be computed again next time ({reason})", stacklevel=2)
    return projection


def is_cached(run: Run, trajectory: xr.DataArray, method: str, **options: Unpack[ProjectionOptions]) -> bool:
    """Check whether `cached_projection` would find these arguments on disk, without computing."""
    return _path(run, trajectory, method, options).is_file()


def _path(run: Run, trajectory: xr.DataArray, method: str, options: ProjectionOptions) -> Path:
    hashes = list(trajectory["sha256"].values)
    libraries = {name: number for name, number in versions().items() if name not in ("matplotlib", "imageio")}
    settings = _settings(trajectory, method, options)
    what: list[Any] = [LAYOUT_VERSION, str(trajectory.name), hashes, method, settings, libraries]
    if "token_id" in trajectory.coords:  # a part of the table
        what.append(trajectory["token_id"].values.tolist())
    key = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]
    return run.inside("projections", f"{trajectory.dims[1]}-{method}-{key}.npz")


def _settings(trajectory: xr.DataArray, method: str, options: ProjectionOptions) -> dict[str, Any]:
    """Complete the options with their defaults; the device is among them only if it is not the CPU that computes the layout."""
    settings: dict[str, Any] = {**DEFAULTS, **options}
    device = layout_device(settings.pop("device", "cpu"), method, trajectory.shape[1], settings["n_axes"])
    return settings if device == "cpu" else settings | {"device": device}


def _encode(projection: xr.Dataset) -> bytes:
    arrays = {str(name): variable.values for name, variable in projection.data_vars.items()}
    about = {
        "dims": {str(name): list(v.dims) for name, v in projection.data_vars.items()},
        "attrs": dict(projection.attrs),
    }
    buffer = io.BytesIO()
    np.savez(buffer, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _read(path: Path, trajectory: xr.DataArray) -> xr.Dataset | None:
    """Read a projection and add the trajectory's coordinates; None if there is none, or it is damaged."""
    if not path.is_file():
        return None
    try:
        return _decode(path, trajectory)
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile):
        notify(f"the cached layout {path.name} is damaged: it is computed again", stacklevel=3)
        return None


def _decode(path: Path, trajectory: xr.DataArray) -> xr.Dataset:
    with open_regular(path) as opened:
        content = io.BytesIO(opened.read())
    with zipfile.ZipFile(content) as archive:  # what is not compressed cannot grow when it is read
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("it is compressed")
    file = np.load(content, allow_pickle=False)
    about = parse_json(file["about"].tobytes(), CachedLayout)
    arrays = {name: (dims, file[name]) for name, dims in about["dims"].items()}
    coords = {name: trajectory[name] for name in ("step", trajectory.dims[1], "sha256")}
    return xr.Dataset(
        arrays, coords=coords | {"axis": list(AXES[: arrays["layout"][1].shape[-1]])}, attrs=about["attrs"]
    )
