"""The model of a step is the one that was saved, and weights that do not fit are named."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import InputError, NotApplicableError
from data.runs import Run, write_snapshot
from tests.probes.made_run import STEPS, made_run, model_of_step, shape, weights
from tests.trainer.test_model import made_tokens
from trainer.config import described_model
from trainer.loading import blank_model, each_model, load_model
from trainer.model_shapes import check_fits


@pytest.fixture
def made(tmp_path: Path) -> Run:
    return made_run(tmp_path)


@pytest.mark.parametrize("step", STEPS)
def test_a_loaded_model_has_the_logits_of_the_saved_one(made: Run, step: int) -> None:
    idx = made_tokens(shape())
    loaded = load_model(made, step)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    with torch.no_grad():
        assert torch.equal(loaded(idx)[0], model_of_step(step, shape())(idx)[0])


def test_one_model_takes_the_weights_of_each_snapshot_in_turn(made: Run) -> None:
    models = set()
    for snapshot, model in each_model(made):
        models.add(id(model))
        for name, tensor in snapshot.tensors().items():
            np.testing.assert_array_equal(model.get_parameter(name), tensor)
    assert [snapshot.step for snapshot, _ in each_model(made)] == list(STEPS)
    assert len(models) == 1


def test_loading_draws_nothing_from_the_random_state_of_the_caller(made: Run) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_model(made, 0)
    assert torch.equal(torch.rand(3), expected)


def test_what_was_dropped_while_training_is_not_dropped_now(made: Run) -> None:
    change(made, model=vars(shape()) | {"dropout": 0.5, "a key of a later version": 1})
    model, idx = load_model(Run(made.path), 0), made_tokens(shape())
    assert model.config.dropout == 0.5
    with torch.no_grad():
        assert torch.equal(model(idx)[0], model_of_step(0, shape())(idx)[0])


def spoilt(tensors: dict[str, Any], how: str) -> dict[str, Any]:
    """Spoil the tensors of a snapshot: one is missing, left over or of another shape."""
    if how == "missing":
        return {name: tensor for name, tensor in tensors.items() if name != "h.1.ln_1.bias"}
    if how == "left over":
        return tensors | {"lm_head.weight": tensors["wte.weight"]}
    return tensors | {"wpe.weight": tensors["wpe.weight"][:-1]}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "snapshot of step 30 lacks the tensor 'h.1.ln_1.bias'"),
        ("left over", "snapshot of step 30 has a tensor that the model does not know, 'lm_head.weight'"),
        ("misshapen", r"snapshot of step 30: 'wpe.weight' has the shape \(11, 32\), and the model's is \(12, 32\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(made: Run, how: str, message: str) -> None:
    write_snapshot(made, 30, spoilt(weights(model_of_step(0, shape())), how))
    with pytest.raises(InputError, match=message) as told:
        load_model(made, 30)
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match=message):
        list(each_model(made))


def change(made: Run, **info: Any) -> None:
    """Replace entries of a run.json; None takes one away."""
    path = made.path / "run.json"
    described = json.loads(path.read_text()) | {"sha256": None} | info
    path.write_text(json.dumps({name: value for name, value in described.items() if value is not None}))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (None, "holds no model, only vectors"),
        ({name: size for name, size in vars(shape()).items() if name != "n_layer"}, "its run.json lacks n_layer$"),
    ],
)
def test_a_run_without_a_model_says_what_is_missing(made: Run, model: dict[str, int] | None, message: str) -> None:
    change(made, model=model)
    for read in (described_model, blank_model, lambda run: load_model(run, 0)):
        with pytest.raises(NotApplicableError, match=message):
            read(Run(made.path))


def test_a_damaged_or_missing_snapshot_is_reported(made: Run) -> None:
    with pytest.raises(InputError, match="has no snapshot of step 7; it has 0, 10, 20"):
        load_model(made, 7)
    path = made.snapshot(10).path
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(
        InputError, match=r"snapshot of step 10 of run 'made' has .* bytes instead of .*: choose another"
    ):
        load_model(made, 10)
    path.unlink()
    with pytest.raises(InputError, match="snapshot of step 10 of run 'made' is missing: choose another"):
        load_model(made, 10)


HUGE = {"n_layer": 10_000, "n_embd": 10**7, "vocab_size": 10**9, "block_size": 2**31}


@pytest.mark.parametrize("field", HUGE)
def test_a_model_that_the_snapshots_do_not_show_is_refused_before_it_is_built(made: Run, field: str) -> None:
    change(made, model=vars(shape()) | {field: HUGE[field], "n_head": 1})
    for read in (blank_model, lambda run: load_model(run, 10), lambda run: list(each_model(run))):
        started = time.perf_counter()
        with pytest.raises(InputError, match=rf"has the shape|describes a model with {field}") as told:
            read(Run(made.path))
        assert "\n" not in str(told.value)
        assert time.perf_counter() - started < 5


def test_without_a_readable_snapshot_no_model_is_built(made: Run) -> None:
    for snapshot in made.snapshots():
        snapshot.path.write_bytes(b"nothing")
    with (
        pytest.raises(InputError, match="has no whole snapshot"),
        pytest.warns(UserWarning, match="of run 'made' has 7 bytes instead of"),
    ):
        blank_model(made)


def test_the_models_of_hugging_face_are_bound_by_their_tensors() -> None:
    tensors = {"a.weight": (8, 4), "b.weight": (4, 4)}
    config = {"model_type": "gpt2", "n_embd": 4, "n_head": 1, "vocab_size": 8, "n_positions": 4, "n_layer": 10**9}
    for field in (
        {"n_layer": 10**9},
        {"n_layer": 2, "num_experts": 10**9},
        {"n_layer": 2, "text": {"num_layers": 10**9}},
    ):
        description = {"kind": "hf", "config": {**config, **field}}
        with pytest.raises(InputError, match=r"with num_experts 1,0|with n_layer 1,0|with num_layers 1,0"):
            check_fits(description, shape(n_layer=2), tensors, "snapshot of step 0")


def test_a_model_of_hugging_face_is_compared_tensor_by_tensor() -> None:
    pytest.importorskip("transformers")
    tensors = {"a.weight": (8, 4), "b.weight": (4, 4)}
    config = {"model_type": "gpt2", "n_embd": 10**7, "n_head": 1, "vocab_size": 8, "n_positions": 10**6, "n_layer": 1}
    with pytest.raises(InputError, match="the weights do not fit the model that run"):
        check_fits({"kind": "hf", "config": config}, shape(n_layer=1), tensors, "snapshot of step 0")
    with pytest.raises(InputError, match="cannot be built"):
        check_fits({"kind": "hf", "config": {**config, "n_embd": "wide"}}, shape(n_layer=1), tensors, "snapshot")
