"""A silenced head adds nothing to the stream, and copying is measured with and without it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from data.runs import Run, write_snapshot
from probes.models.heads import N_SEQUENCES, copying
from probes.models.observation import observe, silenced
from probes.texts import Repeats, repeated_sequences
from tests.probes.made_run import made_run, model_of_step, shape, weights
from tests.trainer.test_model import made_tokens
from trainer.model import GPT


def without(step: int, layer: int, head: int) -> GPT:
    """Return the model of a step whose projection reads nothing from the columns of one head."""
    model, size = model_of_step(step, shape()), shape().n_embd // shape().n_head
    with torch.no_grad():
        model.get_parameter(f"h.{layer}.attn.c_proj.weight")[:, head * size : (head + 1) * size] = 0
    return model


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (1, 3), (2, 2)])
def test_a_silenced_head_adds_nothing(layer: int, head: int) -> None:
    model, ids = model_of_step(0, shape()), made_tokens(shape())
    whole = observe(model, ids).logits
    with silenced(model, layer, head):
        silent = observe(model, ids).logits
        watched = observe(model, ids, attention=True).logits
    torch.testing.assert_close(silent, observe(without(0, layer, head), ids).logits)
    torch.testing.assert_close(watched, silent)
    assert (silent - whole).abs().max() > 0.01
    assert torch.equal(observe(model, ids).logits, whole)


def losses(model: GPT, made: Repeats) -> list[float]:
    """Return the mean loss of the tokens that the earlier block foretells, and of all others but the first."""
    found: tuple[list[float], list[float]] = ([], [])
    with torch.no_grad():
        for row, period in zip(made.ids, made.period, strict=True):
            bets = model(torch.from_numpy(row)[None])[0][0].log_softmax(-1)
            for place in range(1, len(row)):
                foretold = row[place] == row[place - period] and place > len(row) - period
                found[0 if foretold else 1].append(-float(bets[place - 1, row[place]]))
    return [float(np.mean(part)) for part in found]


def test_copying_is_the_loss_on_the_repeat_with_and_without_each_head(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    found = copying(run, seed=2)
    made = repeated_sequences(shape().vocab_size, 12, N_SEQUENCES // 4, seed=2)
    assert found["loss_without"].dims == ("step", "layer", "head")
    assert found["loss_without"].shape == (3, 3, 4)
    for step in (0, 20):
        at = found.sel(step=step)
        np.testing.assert_allclose(
            [at["loss"], at["loss_before"]], losses(model_of_step(step, shape()), made), rtol=1e-5
        )
        for layer, head in ((0, 1), (2, 3)):
            [expected, _] = losses(without(step, layer, head), made)
            np.testing.assert_allclose(at["loss_without"].sel(layer=layer, head=head), expected, rtol=1e-5)


def test_a_model_that_knows_nothing_is_as_surprised_as_chance(tmp_path: Path, run: Run) -> None:
    made = made_run(tmp_path)
    write_snapshot(made, 30, {name: 0 * tensor for name, tensor in weights(model_of_step(0, shape())).items()})
    blank = copying(made).sel(step=30)
    for name in blank.data_vars:
        np.testing.assert_allclose(blank[name], math.log(shape().vocab_size), rtol=1e-6)
    untrained = copying(run).isel(step=0)
    chance = math.log(run.info["model"]["vocab_size"])
    assert chance - 0.05 < untrained["loss_before"] < chance + 1.5
    assert float(untrained["loss"]) == pytest.approx(float(untrained["loss_before"]), abs=0.3)
