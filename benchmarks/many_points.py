"""Films of many points: frames a second of drawing, then with encoding, and the peak memory of the process.

The layouts are made up, so nothing is projected: clusters that form over 20 snapshots, with doubted items and highlighted groups. Each
film is made in a process of its own. Targets in 1080p: 24 frames a second for 50,000 points, 30 for 5,000 with labels, 2 GB at most.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from tables import show

from data.runs import create_run
from probes.groups.naming import Group
from probes.parallel import open_client
from viz.drawing.canvas import Size
from viz.drawing.curve_panel import Curve
from viz.drawing.text import Caption
from viz.drawing.theme import THEMES
from viz.films.embedding_film import EmbeddingFilm, ProjectionView
from viz.films.film import Film
from viz.films.parallel_frames import frames_of
from viz.request import FilmRequest

N_CLUSTERS = 40
SIZE, FPS = Size(1920, 1080), 30
HIGHLIGHTED = {"few": 20, "many": 0.05}
"""Members of the highlighted groups: their number, or their share of all items."""


def made_projection(n_items: int, n_snapshots: int) -> xr.Dataset:
    """Make a projection of items that go from one cloud to clusters, slower and slower; some have few true neighbours."""
    random = np.random.default_rng(0)
    clusters = 6 * random.normal(size=(N_CLUSTERS, 2))[random.integers(0, N_CLUSTERS, n_items)]
    start, around = random.normal(size=(2, n_items, 2)) * [[[4.0]], [[1.0]]]
    share = 1 - np.exp(-4 * np.linspace(0, 1, n_snapshots))[:, None]
    layout = (1 - share[..., None]) * start + share[..., None] * (clusters + around)
    recall = np.clip(random.normal(0.2, 0.2, n_items) + 0.2 * share, 0, 1)
    return xr.Dataset(
        {
            "layout": (("step", "token", "axis"), layout.astype(np.float32)),
            "item_recall": (("step", "token"), recall.astype(np.float32)),
            "trustworthiness": ("step", 0.6 + 0.3 * share[:, 0]),
        },
        coords={"step": 100 * np.arange(n_snapshots), "token": [f"word {i}" for i in range(n_items)]},
        attrs={"method": "tsne", "chance": 0.001},
    )


def made_picture(n_items: int, n_snapshots: int, *, highlight: bool) -> EmbeddingFilm:
    """Make the picture of such a projection, with a curve beside it."""
    projection, random = made_projection(n_items, n_snapshots), np.random.default_rng(1)
    sizes = {name: int(size if size >= 1 else size * n_items) for name, size in HIGHLIGHTED.items()}
    chosen = {name: random.choice(n_items, size, replace=False).tolist() for name, size in sizes.items()}
    groups = [Group(name, tuple(members)) for name, members in chosen.items()] if highlight else []
    curve = Curve("trustworthiness", projection["step"].values, projection["trustworthiness"].values)
    caption = Caption("Token embeddings", "made up", "Each snapshot is shown exactly.")
    return EmbeddingFilm([ProjectionView(projection, groups)], [curve], caption, SIZE, THEMES["light"])


def made_film(n_items: int, n_snapshots: int, folder: Path, *, highlight: bool) -> Film:
    """Make a film of such a picture, as if of a run."""
    picture = made_picture(n_items, n_snapshots, highlight=highlight)
    shown = xr.Dataset(coords={"step": np.arange(n_snapshots), "sha256": ("step", [""] * n_snapshots)})
    return Film(create_run("made", {}, folder), FilmRequest(what="tokens", fps=FPS), picture, shown, "")


def measure(n_items: int, n_snapshots: int, formats: Sequence[str], scheduler: str | None, *, highlight: bool) -> None:
    """Make a film in this process, or only draw it where there are no formats; print what it took as JSON."""
    sys.path.append(sys.path.pop(0))  # Dask must not find distributed.py beside this file
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, open_client(scheduler) as client:
        film = made_film(n_items, n_snapshots, Path(name), highlight=highlight)
        if not formats:
            if client is None:
                next(film.picture.frames([0.0]))  # compiles, or loads what was compiled
            started = time.perf_counter()
            frames = sum(1 for _ in frames_of(film.picture, film.timeline, client))
        else:
            film.save(*(Path(name) / f"film.{suffix}" for suffix in formats), client=client)
            frames = len(film.timeline)
        seconds = time.perf_counter() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"frames": frames, "seconds": seconds, "peak_mb": peak_mb}))


def measured(*options: str) -> dict[str, float]:
    """Make a film in a process of its own; return what it took."""
    done = subprocess.run([sys.executable, __file__, *options], capture_output=True, text=True, check=True)
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took


def compare(n_snapshots: int) -> None:
    """Measure all films, each in a process of its own, and print the table."""
    ways = {
        "drawn, one process": [],
        "mp4": ["--formats", "mp4"],
        "mp4 and gif": ["--formats", "mp4", "gif"],
        "mp4, drawn by a process a core": ["--formats", "mp4", "--scheduler", "local"],
    }
    films = {
        "5,000 points, 28 labels, trails": ["--items", "5000", "--highlight"],
        "50,000 points, 28 labels": ["--items", "50000"],
        "50,000 points, 28 labels, 2,500 trails": ["--items", "50000", "--highlight"],
    }
    rows = []
    for film, options in films.items():
        for way, how in ways.items():
            took = measured("--snapshots", str(n_snapshots), *options, *how)
            rows.append((film, way, took["frames"], took["frames"] / took["seconds"], took["peak_mb"]))
    columns = ("film", "how", "frames", "frames/s", "peak MB")
    show(f"Films of {n_snapshots} snapshots at 1080p, from the layouts to the file", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=20)
    parser.add_argument("--items", type=int, help="make one film of so many, in this process")
    parser.add_argument("--highlight", action="store_true", help="highlight 20 items, and a twentieth of all")
    parser.add_argument("--formats", nargs="*", default=[], help="mp4, gif; the film is only drawn without them")
    parser.add_argument("--scheduler", help="local: a process a core draws")
    asked = parser.parse_args()
    if asked.items:
        measure(asked.items, asked.snapshots, asked.formats, asked.scheduler, highlight=asked.highlight)
    else:
        compare(asked.snapshots)


if __name__ == "__main__":
    main()
