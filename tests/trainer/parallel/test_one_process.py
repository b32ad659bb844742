"""What saves memory or time in one process too: accumulation, recomputed activations and bfloat16 learn what a plain step learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from data.corpora.catalog import load_corpus
from data.errors import InputError
from data.runs import Run
from tests.trainer.test_loop import config_for, quiet
from trainer.loop import take_step
from trainer.model import GPT
from trainer.parallel.model_forms import compile_ahead
from trainer.session import Session, build, resume_training, start

Arrays = dict[str, np.ndarray]


def session_for(text_file: Path, **fields: object) -> Session:
    config = config_for(text_file, threads=1, **fields)
    session = build(config, load_corpus(config.corpus))
    with torch.no_grad():
        for number, p in enumerate(session.model.parameters()):
            p.add_(0.05 * torch.randn(p.shape, generator=torch.Generator().manual_seed(number)))
    session.model.train()
    return session


def gradients(session: Session, step: int = 2) -> Arrays:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        for loss in session.losses(step):
            loss.backward()
    return {name: p.grad.numpy() for name, p in session.model.named_parameters() if p.grad is not None}


def assert_equal_within(actual: Arrays, expected: Arrays, share: float) -> None:
    """Compare gradients relative to the largest of their tensor; a key's bias has no influence, and its gradient is rounding alone."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        size = max(float(np.abs(value).max()), 1e-3)
        np.testing.assert_allclose(actual[name] / size, value / size, rtol=0, atol=share, err_msg=name)


@pytest.mark.parametrize("accumulate", [2, 3, 8])
@pytest.mark.parametrize("recipe", ["best", "reference"])
def test_micro_batches_add_up_to_the_gradient_of_the_batch(recipe: str, accumulate: int, text_file: Path) -> None:
    expected = gradients(session_for(text_file, recipe=recipe))
    assert_equal_within(gradients(session_for(text_file, recipe=recipe, accumulate=accumulate)), expected, 1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_recomputed_activations_give_the_same_gradients_and_keep_less(dropout: float, text_file: Path) -> None:
    fields = {"dropout": dropout, "n_layer": 6}
    plain, recomputing = (session_for(text_file, checkpoint_activations=on, **fields) for on in (False, True))
    assert_equal_within(gradients(recomputing), gradients(plain), 1e-5)
    assert kept_bytes(recomputing) < kept_bytes(plain) / 2


def kept_bytes(session: Session) -> int:
    """Count the bytes that the blocks' forward pass keeps for the backward pass; fused blocks, which count differently, are left out."""
    sizes: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    blocks = type(session.model).blocks if session.config.checkpoint_activations else GPT.blocks
    x = torch.randn(8, 16, session.config.n_embd, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        blocks(session.model, x)
    return sum(sizes.values())


def test_bfloat16_learns_nearly_the_same_and_keeps_weights_in_float32(text_file: Path, runs: Path) -> None:
    half, single = (session_for(text_file, precision=precision) for precision in ("bf16", "float32"))
    found, expected = (np.concatenate([g.ravel() for g in gradients(each).values()]) for each in (half, single))
    cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
    assert cosine > 0.99
    assert not np.allclose(found, expected, rtol=1e-4, atol=1e-6), "autocast did nothing"
    assert all(p.dtype == torch.float32 for p in half.model.parameters())
    losses = [session.evaluate(0)["val_loss"] for session in (half, single)]
    assert losses[0] == losses[1], "evaluations are in float32"


def test_how_a_step_is_cut_may_change_when_a_run_is_resumed(run: Run, text_file: Path) -> None:
    before = run.metrics()[-1]["val_loss"]
    config = config_for(text_file, steps=80, accumulate=4, checkpoint_activations=True)
    resume_training(run, config).go(quiet)
    assert run.metrics()[-1]["step"] == 80
    assert run.metrics()[-1]["val_loss"] < before
    assert Run(run.path).info["training"]["accumulate"] == 4
    with pytest.raises(InputError, match="keeps its precision"):
        resume_training(run, config_for(text_file, steps=80, precision="bf16"))


def test_a_model_is_compiled_before_the_first_step_and_its_gradients_are_left_empty(
    text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)
    plain, session = session_for(text_file), session_for(text_file, compile=True)
    assert compile_ahead(session) > 0
    assert compiled == [session.model]
    assert all(p.grad is None for p in session.model.parameters())
    take_step(session, 0)
    take_step(plain, 0)
    for p, q in zip(session.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"precision": "fp16"}, "there is no precision 'fp16'; there is float32, bf16"),
        ({"accumulate": 0}, "accumulate must be 1 or more"),
        ({"accumulate": 9}, "a batch of 8 cannot be divided among 9 micro-batches"),
    ],
)
def test_what_cannot_be_done_is_refused(fields: dict[str, object], message: str, text_file: Path, runs: Path) -> None:
    with pytest.raises(InputError, match=message):
        start(config_for(text_file, **fields), "refused")
    assert not (runs / "refused").exists()


def test_sharding_alone_divides_nothing_and_says_so(text_file: Path) -> None:
    with pytest.warns(UserWarning, match="there is one process, so nothing is divided"):
        session_for(text_file, shard=True)
