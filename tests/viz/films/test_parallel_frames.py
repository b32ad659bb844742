"""A film that two workers draw is the film, byte by byte; layouts and their fidelity are those of eager, serial work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import xarray as xr

from data.errors import InputError
from data.runs import Run
from probes.groups.naming import Group
from probes.parallel import map_steps, open_client
from probes.tables.embeddings import lazy_table, position_embeddings
from tests.viz.films.test_timeline import made_film, made_projection
from viz.drawing.canvas import Frame
from viz.drawing.scatter import MANY_DOTS
from viz.fidelity.neighbourhoods import measure_fidelity
from viz.films.embedding_film import EmbeddingFilm
from viz.films.parallel_frames import FRAMES_AT_ONCE, _Copies, _draw, _unpacked, frames_of
from viz.films.timeline import Timeline
from viz.projection.projector import project

pytest.importorskip("distributed", reason="Dask is not installed")
cloudpickle = pytest.importorskip("cloudpickle")

pytestmark = pytest.mark.xdist_group("dask")  # one cluster at a time, in one process


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with open_client("local:2") as client:
        yield client


def made_picture(n_steps: int = 6) -> EmbeddingFilm:
    return made_film(made_projection(n_steps), [Group("3", (3,))], "dark")


@pytest.mark.slow
def test_the_frames_are_those_of_one_process(client: Any) -> None:
    times = list(Timeline(6, fps=12, seconds_per_snapshot=2.0, hold_seconds=1.0))
    assert 2 * FRAMES_AT_ONCE < len(times) != 3 * FRAMES_AT_ONCE
    drawn = frames_of(made_picture(), times, client)
    for ours, theirs in zip(made_picture().frames(times), drawn, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_picture_made_here_is_copied_to_the_workers_and_may_then_be_drawn_here(client: Any) -> None:
    times = np.linspace(0, 5, FRAMES_AT_ONCE + 3).tolist()
    picture = made_picture()
    elsewhere = frames_of(picture, iter(times), client)
    for ours, theirs in zip(frames_of(picture, times), elsewhere, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_painted_dots_and_trails_are_those_of_one_process(client: Any) -> None:
    times = np.linspace(0, 2, FRAMES_AT_ONCE + 3).tolist()
    groups = [Group("many", tuple(range(200)))]
    here, elsewhere = (made_film(made_projection(3, MANY_DOTS + 200), groups) for _ in range(2))
    for ours, theirs in zip(here.frames(times), frames_of(elsewhere, times, client), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_any_frames_come_back_as_they_were() -> None:
    """Noise, a frame twice, one pixel changed at either end, a black one: what a worker sends is what it drew."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, size=(6, 8, 4), dtype=np.uint8)
    ends = noise.copy()
    ends[0, 0] += 1
    ends[-1, -1] += 1
    drawn = [noise, noise, ends, np.zeros_like(noise), noise]

    class Made:
        def frames(self, times: Iterable[float]) -> Iterator[Frame]:
            view = np.empty_like(noise)
            for frame in drawn:
                view[:] = frame
                yield view  # overwritten by the next, as the canvas does

    np.testing.assert_array_equal(list(_unpacked(*_draw(_Copies(cloudpickle.dumps(Made()), "en"), [0.0] * 5))), drawn)


def test_without_a_client_they_are_drawn_here() -> None:
    drawn = [frame.copy() for frame in frames_of(made_picture(), [0.0, 2.5])]
    expected = [frame.copy() for frame in made_picture().frames([0.0, 2.5])]
    np.testing.assert_array_equal(drawn, expected)


def test_frames_stay_valid_and_a_film_may_be_given_up(client: Any) -> None:
    times = np.linspace(0, 5, 6 * FRAMES_AT_ONCE).tolist()
    frames = frames_of(made_picture(), times, client)
    first = next(frames)
    kept = first.copy()
    next(frames)
    frames.close()  # type: ignore[attr-defined]  # a generator
    np.testing.assert_array_equal(first, kept)


def test_a_picture_that_cannot_be_drawn_raises_its_own_error(client: Any) -> None:
    class Refuses:
        def frames(self, times: Iterable[float]) -> Iterator[Frame]:
            raise InputError("the film has no step")

    with pytest.raises(InputError, match="the film has no step"):
        next(frames_of(Refuses(), [0.0, 1.0], client))


def test_a_lazy_trajectory_is_laid_out_as_the_eager_one(client: Any, run: Run) -> None:
    lazy = lazy_table(run, "positions")
    found, expected = project(lazy, "pca"), project(position_embeddings(run), "pca")
    assert lazy.chunks is not None
    xr.testing.assert_identical(found, expected)


def test_fidelity_is_mapped_over_steps(client: Any) -> None:
    random = np.random.default_rng(4)
    steps = [(random.normal(size=(20, 6)), random.normal(size=(20, 2))) for _ in range(5)]

    def at(step: tuple[np.ndarray, np.ndarray]) -> Any:
        return measure_fidelity(*step, neighbours=5)

    found, expected = map_steps(at, steps, client), map(at, steps)
    for ours, theirs in zip(found, expected, strict=True):
        assert vars(ours).keys() == vars(theirs).keys()
        for name, value in vars(theirs).items():
            np.testing.assert_array_equal(getattr(ours, name), value)
