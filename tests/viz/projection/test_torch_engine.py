"""The parts of t-SNE on a torch device against those on the CPU; torch's own CPU stands for the device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from numpy.typing import NDArray

from data.errors import InputError
from data.runs import Run, create_run
from tests.commands import assert_mistake, command
from viz.projection import projector, tsne
from viz.projection.affinities import joint_probabilities, nearest_neighbours
from viz.projection.interpolated_gradient import interpolated_gradient
from viz.projection.projection_cache import cached_projection, is_cached
from viz.projection.torch_engine import block_search
from viz.projection.torch_engine.devices import check_device, find_engine, layout_device
from viz.projection.torch_engine.engine import TorchEngine

ENGINE = TorchEngine(torch.device("cpu"))
MANY = tsne.MANY_ITEMS + 200


def growing_groups(n_steps: int = 3, n_items: int = MANY, n_dims: int = 12) -> NDArray[np.float64]:
    """Draw noise that becomes twenty groups, (step, item, dim)."""
    random = np.random.default_rng(0)
    groups = 3 * random.normal(size=(20, n_dims))[np.arange(n_items) % 20]
    return random.normal(size=(n_items, n_dims)) + np.linspace(0.4, 1, n_steps)[:, None, None] * groups


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Let torch use one thread: for operations as small as these, several wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch's CPU take the part of a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(projector, "find_engine", lambda device: None if device == "cpu" else ENGINE)


@pytest.fixture
def few_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop long before layouts are good, where something else is tested."""
    monkeypatch.setattr(tsne, "EXAGGERATED_ITERATIONS", 10)
    monkeypatch.setattr(tsne, "ANNEALING_ITERATIONS_MANY", 1)
    for rule in ("ANNEALED_MANY", "REANNEALED"):
        monkeypatch.setattr(tsne, rule, tsne.StoppingRule(at_least=5, at_most=10, check_every=5, tolerance=1e-3))


@pytest.mark.parametrize("block_bytes", [256 << 20, 1])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_neighbours_are_those_of_the_search_on_the_cpu(
    offset: float, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_search, "BLOCK_BYTES", block_bytes)
    vectors = np.random.default_rng(0).normal(size=(MANY, 7)) + offset
    expected, apart = nearest_neighbours(vectors, 12)
    neighbours, distances = ENGINE.nearest_neighbours(vectors, 12)
    assert (neighbours.dtype.name, distances.dtype.name) == ("int32", "float64")
    np.testing.assert_array_equal(neighbours, expected)
    np.testing.assert_allclose(distances, apart, rtol=1e-6)


def test_no_item_is_its_own_neighbour_even_if_more_equal_it_than_are_wanted() -> None:
    vectors = np.random.default_rng(0).normal(size=(30, 5)).repeat(40, axis=0)
    neighbours, distances = ENGINE.nearest_neighbours(vectors, 6)
    assert not (neighbours == np.arange(len(vectors))[:, None]).any()
    assert not distances.any()


def test_every_other_item_can_be_a_neighbour() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 3))
    neighbours, _ = ENGINE.nearest_neighbours(vectors, 49)
    assert {len(set(row) | {item}) for item, row in enumerate(neighbours)} == {50}


@pytest.mark.parametrize("width", [1e-3, 2.0, 30.0, 120.0])
@pytest.mark.parametrize("exaggeration", [1, 12])
@pytest.mark.parametrize("items", [MANY, 2 * MANY])
def test_the_gradient_is_that_of_the_cpu_to_single_precision(width: float, exaggeration: int, items: int) -> None:
    random = np.random.default_rng(3)
    affinities = joint_probabilities(random.normal(size=(items, 8)), 15.0)
    points = width / 4 * random.normal(size=(items, 2)) * [1, 0.5] + 7
    expected = interpolated_gradient(points, affinities * np.float32(exaggeration), should_eval_error=True)
    placed = ENGINE.place(affinities)
    placed *= exaggeration
    divergence, gradient = ENGINE.gradient(points, placed, should_eval_error=True)
    assert divergence == pytest.approx(expected[0], rel=1e-5)
    assert gradient.dtype == np.float64
    assert np.linalg.norm(gradient - expected[1]) < 1e-5 * np.linalg.norm(expected[1])
    silent, same = ENGINE.gradient(points, placed)
    assert silent == 0
    np.testing.assert_array_equal(same, gradient)


def test_layouts_without_width_have_the_gradient_of_the_cpu() -> None:
    affinities = joint_probabilities(np.random.default_rng(0).normal(size=(MANY, 4)), 10.0)
    for extent in ((0.0, 0.0), (0.0, 30.0)):
        points = np.outer(np.linspace(0, 1, MANY), extent)
        expected = interpolated_gradient(points, affinities)[1]
        np.testing.assert_allclose(ENGINE.gradient(points, ENGINE.place(affinities))[1], expected, atol=1e-8)


def test_exaggeration_is_taken_back_without_a_trace() -> None:
    placed = ENGINE.place(joint_probabilities(growing_groups(1)[0], 10.0))
    for factor in tsne.EXAGGERATIONS:
        placed *= factor
        placed /= factor
    assert placed.factor == 1


def test_a_chain_is_as_good_as_that_of_the_cpu() -> None:
    snapshots = growing_groups()[::-1]
    fits, on_cpu = (list(tsne.chain(snapshots, perplexity=15.0, accelerator=engine)) for engine in (ENGINE, None))
    for fit, expected in zip(fits, on_cpu, strict=True):
        assert fit.kl_divergence() == pytest.approx(expected.kl_divergence(), rel=0.02)
        assert fit.divergence == pytest.approx(fit.kl_divergence(), rel=0.01)
        assert fit.n_iter == expected.n_iter
        assert abs(fit.affinities - expected.affinities).max() < 1e-9


@pytest.mark.usefixtures("few_iterations")
def test_a_chain_gives_the_same_bytes_again() -> None:
    snapshots = growing_groups(2)[::-1]
    chains = (tsne.chain(snapshots, perplexity=20.0, accelerator=ENGINE) for _ in range(2))
    for fit, again in zip(*chains, strict=True):
        assert fit.points.tobytes() == again.points.tobytes()


def test_the_device_serves_many_items_in_the_plane_only() -> None:
    assert layout_device("cuda", "tsne", MANY, 2) == "cuda"
    assert {layout_device("cuda", "tsne", 1000, 2), layout_device("cuda", "tsne", MANY, 3)} == {"cpu"}
    assert find_engine("cpu") is None


def made_trajectory(n_items: int, n_steps: int = 2) -> xr.DataArray:
    hashes = [f"{n_items} items, step {step}" for step in range(n_steps)]
    coords = {"step": np.arange(n_steps), "token": np.arange(n_items), "sha256": ("step", hashes)}
    return xr.DataArray(growing_groups(n_steps, n_items), dims=("step", "token", "dim"), coords=coords, name="tokens")


@pytest.mark.usefixtures("gpu", "few_iterations")
def test_a_projection_names_the_device_that_made_it() -> None:
    options: dict[str, Any] = {"perplexity": 5, "with_fidelity": False}
    assert projector.project(made_trajectory(MANY, 1), device="cuda", **options).attrs["device"] == "cuda"
    few = made_trajectory(40)
    on_cpu, asked = (projector.project(few, device=device, **options) for device in ("cpu", "cuda"))
    assert "device" not in asked.attrs
    xr.testing.assert_identical(asked, on_cpu)


@pytest.mark.usefixtures("gpu", "few_iterations")
def test_the_motion_floor_is_measured_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The method that moves the points is the one whose motion is measured."""
    engines: list[object] = []
    continued = tsne.continue_layout

    def noted(*arguments: Any, accelerator: object, **options: Any) -> NDArray[np.float64]:
        engines.append(accelerator)
        return continued(*arguments, accelerator=accelerator, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tsne, "continue_layout", noted)
    assert projector.project(made_trajectory(MANY), device="cuda", perplexity=5).attrs["motion_floor"] >= 0
    assert set(engines) == {ENGINE}


@pytest.mark.usefixtures("gpu")
def test_layouts_of_other_devices_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run("made", {}, tmp_path)
    made: list[str] = []

    def lay_out(trajectory: xr.DataArray, method: str, **options: Any) -> xr.Dataset:
        made.append(options.get("device", "cpu"))
        layout = np.zeros((*trajectory.shape[:2], 2))
        coords = {name: trajectory[name] for name in ("step", "token")} | {"axis": ["x", "y"]}
        return xr.Dataset({"layout": (("step", "token", "axis"), layout)}, coords=coords)

    monkeypatch.setattr("viz.projection.projection_cache.project", lay_out)
    many, few = made_trajectory(MANY), made_trajectory(40)
    cached_projection(run, many, "tsne")
    assert is_cached(run, many, "tsne", device="cpu")  # the key of before there was a choice
    assert not is_cached(run, many, "tsne", device="cuda")
    cached_projection(run, many, "tsne", device="cuda")
    cached_projection(run, few, "tsne", device="cuda")
    assert is_cached(run, few, "tsne")  # laid out on the CPU anyway
    assert made == ["cpu", "cuda", "cuda"]


@pytest.mark.parametrize(
    ("device", "method", "message"),
    [
        ("abacus", "tsne", "^there is no device 'abacus'; there is cpu, cuda, mps$"),
        ("cuda", "tsne", "^this machine has no cuda that torch can use: pass `device=cpu`$"),
        ("mps", "tsne", "^this machine has no mps that torch can use: pass `device=cpu`$"),
        ("cuda", "umap", "^another device than the CPU is for t-SNE: leave out `device`, or pass `method=tsne`$"),
    ],
)
def test_a_device_that_cannot_be_used_is_refused(
    device: str, method: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(InputError, match=message):
        projector.project(made_trajectory(40), method, device=device)
    check_device("cpu", "pca")


@pytest.mark.parametrize("module", ["viz.video", "viz.figures"])
def test_commands_report_a_missing_device_in_one_line(run: Run, module: str) -> None:
    what = ["--what"] if module == "viz.video" else ["--only"]
    options = [*what, "tokens", "--device", "cuda"]
    assert_mistake(command(module, *options, CUDA_VISIBLE_DEVICES=""), "no cuda that torch can use: pass --device cpu")
