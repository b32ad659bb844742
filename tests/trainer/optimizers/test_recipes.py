"""SOAP against what it must equal where something else can be computed: Adam, the polar factor, itself in other coordinates."""

from __future__ import annotations

import copy
import dataclasses
import itertools

import pytest
import torch
from torch import Tensor

from trainer.config import ModelConfig
from trainer.model import GPT
from trainer.optimizers.recipes import RECIPES, average, build_optimizers, initialise, schedule
from trainer.optimizers.schedules import set_rates
from trainer.optimizers.soap import SOAP

BEST, REFERENCE = RECIPES["best"], RECIPES["reference"]


def gradients(steps: int, *shape: int, seed: int = 0) -> Tensor:
    """Draw gradients (steps, *shape) with a mean, and with a larger variance in some directions than in others."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(steps, *shape, generator=generator, dtype=torch.float64)
    mixing = torch.randn(shape[-1], shape[-1], generator=generator, dtype=torch.float64)
    return noise @ mixing + torch.ones(shape, dtype=torch.float64)


def descend(optimizer: torch.optim.Optimizer, weights: list[Tensor], steps: list[list[Tensor]]) -> list[Tensor]:
    for step in steps:
        for weight, gradient in zip(weights, step, strict=True):
            weight.grad = gradient.clone()
        optimizer.step()
    return weights


def zeros(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64, requires_grad=True)


def rotation(size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0]


def model(**changes: int) -> GPT:
    config = ModelConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8)
    return GPT(dataclasses.replace(config, **changes))


def train(gpt: GPT, optimizers: list[torch.optim.Optimizer], steps: range, total: int = 40) -> None:
    for step in steps:
        tokens = torch.randint(11, (4, 9), generator=torch.Generator().manual_seed(step))
        set_rates(optimizers, schedule(BEST, total)(step))
        gpt(tokens[:, :-1], tokens[:, 1:])[1].backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()


def test_without_turning_it_is_adam():
    steps = [[g] for g in gradients(25, 5, 3)]
    betas = (0.95, 0.95)
    (ours,) = descend(SOAP([w := zeros(5, 3)], lr=0.1, betas=(*betas, 0.9), largest_side=0, nesterov=False), [w], steps)
    (theirs,) = descend(torch.optim.Adam([w := zeros(5, 3)], lr=0.1, betas=betas), [w], steps)
    assert torch.allclose(ours, theirs, rtol=1e-6)


def test_without_memory_a_step_is_the_polar_factor():
    """One gradient alone is diagonal in its own singular vectors, where Adam's first step has size one: U Vᵀ."""
    (gradient,) = gradients(1, 6, 6)
    (weight,) = descend(SOAP([w := zeros(6, 6)], lr=0.1), [w], [[gradient]])
    u, _, v = torch.linalg.svd(gradient)
    assert torch.allclose(weight, -0.1 * u @ v, atol=1e-6)


def test_rotating_the_gradients_rotates_the_weights():
    left, right = rotation(5, seed=1), rotation(5, seed=2)
    plain = gradients(35, 5, 5)
    (weight,) = descend(SOAP([w := zeros(5, 5)], lr=0.1), [w], [[g] for g in plain])
    (rotated,) = descend(SOAP([w := zeros(5, 5)], lr=0.1), [w], [[left @ g @ right.T] for g in plain])
    assert torch.allclose(rotated, left @ weight @ right.T, atol=1e-6)


def test_the_coordinates_become_the_eigenvectors_of_the_covariance():
    scale = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    mixing = rotation(4, seed=3)
    noise = torch.randn(400, 40, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    optimizer = SOAP([w := zeros(40, 4)], lr=0.1, refresh_every=1)
    descend(optimizer, [w], [[g * scale @ mixing] for g in noise])
    basis = optimizer.state[w]["column_basis"][0]
    assert torch.allclose(basis.T @ basis, torch.eye(4, dtype=torch.float64))
    # Of the covariance mixingᵀ scale² mixing the eigenvectors are the rows of ``mixing``, the largest last.
    overlap = (mixing.flip(0) @ basis).abs()
    assert torch.allclose(overlap, torch.eye(4, dtype=torch.float64), atol=0.1)


def test_a_stack_moves_as_its_matrices_would_alone():
    """Tall, wide and square matrices, and one of three parts that have the shape of a square one."""
    shapes, parts = [(6, 4), (4, 6), (6, 4), (2, 2), (6, 2), (3, 5), (4, 6)], [1, 1, 1, 1, 3, 1, 2]
    drawn = [gradients(25, *shape, seed=seed) for seed, shape in enumerate(shapes)]
    weights = [zeros(*shape) for shape in shapes]
    optimizer = SOAP([{"params": weights, "parts": parts}], lr=0.1, weight_decay=0.1)
    descend(optimizer, weights, [list(each) for each in zip(*drawn, strict=True)])
    for weight, gradient, n in zip(weights, drawn, parts, strict=True):
        for block, part in zip(weight.chunk(n), gradient.chunk(n, dim=1), strict=True):
            alone = SOAP([w := zeros(*part.shape[1:])], lr=0.1, weight_decay=0.1)
            assert torch.allclose(block, descend(alone, [w], [[g] for g in part])[0], atol=1e-9)


def test_a_turned_matrix_moves_as_the_matrix_does():
    drawn = gradients(25, 7, 3)
    (weight,) = descend(SOAP([w := zeros(7, 3)], lr=0.1, weight_decay=0.1), [w], [[g] for g in drawn])
    (turned,) = descend(SOAP([w := zeros(3, 7)], lr=0.1, weight_decay=0.1), [w], [[g.T] for g in drawn])
    assert torch.equal(turned, weight.T)


def test_weight_decay_shrinks_in_proportion():
    weight = torch.ones(3, 3, requires_grad=True)
    descend(SOAP([weight], lr=0.1, weight_decay=0.5), [weight], [[torch.zeros(3, 3)]])
    assert torch.allclose(weight, torch.full((3, 3), 0.95))


@pytest.mark.parametrize(("shape", "grad"), [((3,), torch.ones(3)), ((3, 3), None)])
def test_what_is_no_matrix_with_a_gradient_is_refused(shape, grad):
    weight = torch.zeros(shape, requires_grad=True)
    weight.grad = grad
    with pytest.raises(ValueError, match="matrices with a gradient"):
        SOAP([weight], lr=0.1).step()


def test_a_state_of_other_stacks_is_refused():
    """An earlier version stacked wide matrices apart from tall ones."""
    weights = [zeros(6, 2), zeros(2, 6)]
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    together, apart = SOAP(weights, lr=0.1), [SOAP([weight], lr=0.1) for weight in weights]
    for optimizer in (together, *apart):
        optimizer.step()
    first, second = (optimizer.state_dict()["state"][0] for optimizer in apart)
    groups = together.state_dict()["param_groups"]
    with pytest.raises(ValueError, match="other stacks"):
        SOAP(weights, lr=0.1).load_state_dict({"state": {0: first, 1: second}, "param_groups": groups})
    SOAP(weights, lr=0.1).load_state_dict(together.state_dict())


def test_resuming_from_saved_state_equals_not_stopping():
    """To the bit, through arrays as they would come from a file: row-major, and without the optimizer's own objects."""
    whole, before, after = model(), model(), model()
    for gpt in (whole, before):
        initialise(gpt, BEST.initialisation, seed=1)
    train(whole, build_optimizers(whole, BEST), range(0, 30))
    train(before, optimizers := build_optimizers(before, BEST), range(0, 15))
    after.load_state_dict(before.state_dict())
    resumed = build_optimizers(after, BEST)
    for old, new in zip(optimizers, resumed, strict=True):
        state = {
            p: {k: torch.from_numpy(v.numpy().copy("C")) if isinstance(v, Tensor) else v for k, v in entries.items()}
            for p, entries in old.state_dict()["state"].items()
        }
        new.load_state_dict({"state": state, "param_groups": new.state_dict()["param_groups"]})
    train(after, resumed, range(15, 30))
    for name, p in whole.named_parameters():
        assert torch.equal(p, after.get_parameter(name)), name


def test_the_reference_is_torch_adamw_at_its_defaults():
    ours, theirs = model(), model()
    theirs.load_state_dict(ours.state_dict())
    (optimizer,) = build_optimizers(ours, REFERENCE)
    oracle = torch.optim.AdamW(theirs.parameters(), lr=3e-4, fused=True)
    for step in range(10):
        tokens = torch.randint(11, (4, 9), generator=torch.Generator().manual_seed(step))
        set_rates([optimizer], schedule(REFERENCE, 10)(step))
        for gpt, moves in ((ours, optimizer), (theirs, oracle)):
            moves.zero_grad()
            gpt(tokens[:, :-1], tokens[:, 1:])[1].backward()
            moves.step()
    for name, p in ours.named_parameters():
        assert torch.equal(p, theirs.get_parameter(name)), name


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_parameter_has_one_optimizer(recipe):
    gpt = model()
    held = [p for o in build_optimizers(gpt, recipe) for group in o.param_groups for p in group["params"]]
    assert sorted(map(id, held)) == sorted(map(id, gpt.parameters()))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_learns(recipe):
    torch.manual_seed(0)
    gpt, tokens = model(), torch.arange(9).repeat(4, 1)
    initialise(gpt, recipe.initialisation, seed=1)
    optimizers = build_optimizers(gpt, recipe)
    losses = []
    for step in range(60):
        set_rates(optimizers, schedule(recipe, 60)(step))
        loss = gpt(tokens[:, :-1], tokens[:, 1:])[1]
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.01


def test_the_schedule_rises_then_falls():
    shares = [schedule(BEST, 5000)(step) for step in range(5001)]
    peak = max(range(5001), key=shares.__getitem__)
    assert shares[0] == pytest.approx(1 / BEST.warmup_steps)
    assert BEST.warmup_steps - 1 <= peak <= BEST.warmup_steps
    assert shares[5000] == pytest.approx(BEST.falls_to)
    assert all(a > b > -1e-9 for a, b in zip(shares[peak:], shares[peak + 1 :], strict=False))
    assert {schedule(REFERENCE, 5000)(step) for step in (0, 100, 4999)} == {1.0}


def test_a_scale_multiplies_every_rate_and_does_not_add_up():
    plain, scaled = build_optimizers(model(), BEST), build_optimizers(model(), BEST, scale=0.5)
    for _ in range(2):
        set_rates(scaled, schedule(BEST, 1000)(500))
    rates, peaks = ([group["lr"] for o in some for group in o.param_groups] for some in (scaled, plain))
    expected = 0.5 * (1 + BEST.falls_to) / 2
    assert rates == pytest.approx([expected * peak for peak in peaks])


def test_initial_weights_follow_from_the_seed_and_have_the_spread_of_their_scheme():
    gpt = model(n_embd=64, vocab_size=100)
    initialise(gpt, "reference", seed=1)
    first = {name: p.detach().clone() for name, p in gpt.named_parameters()}
    assert first["h.0.mlp.c_fc.weight"].std() == pytest.approx(0.02, rel=0.05)
    assert first["h.1.mlp.c_proj.weight"].std() == pytest.approx(0.02 / 2, rel=0.05)  # sqrt(2 n_layer) = 2
    assert not first["h.0.attn.c_attn.bias"].any()
    assert bool((first["ln_f.weight"] == 1).all())
    initialise(gpt, "reference", seed=1)
    assert all(torch.equal(p, first[name]) for name, p in gpt.named_parameters())
    initialise(gpt, "reference", seed=2)
    assert not torch.equal(gpt.wte.weight, first["wte.weight"])


def test_with_residuals_at_zero_the_blocks_pass_their_input_on():
    gpt = model()
    initialise(gpt, "zero-residual", seed=1)
    x = torch.randn(2, 8, 8)
    assert torch.equal(gpt.h[1](gpt.h[0](x)), x)


def test_an_unknown_initialisation_is_refused():
    with pytest.raises(ValueError, match="no initialisation 'orthogonal'"):
        initialise(model(), "orthogonal", seed=1)


def test_the_average_of_weights_that_stand_still_is_those_weights_and_it_follows_those_that_move():
    moving = model()
    averaged = copy.deepcopy(moving)
    average(averaged, moving, BEST.averaging, 5)
    for p, q in zip(moving.parameters(), averaged.parameters(), strict=True):
        assert torch.equal(p, q)
    with torch.no_grad():
        for p in moving.parameters():
            p.add_(1.0)
    distances = []
    for step in range(10, 2000):
        average(averaged, moving, BEST.averaging, step)
        distances.append((moving.wte.weight - averaged.wte.weight).abs().max().item())
    assert distances[0] == pytest.approx(11 / 20, rel=1e-5)
    assert distances[-1] < 1e-3
    assert all(a >= b for a, b in itertools.pairwise(distances))
