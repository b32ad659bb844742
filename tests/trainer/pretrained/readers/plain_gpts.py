"""nanoGPT's and GPTLab's models written down once more, plainly: oracles for the importers."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

State = dict[str, Tensor]
N_LAYER, N_HEAD, WIDTH, CONTEXT, ROWS = 2, 4, 16, 10, 13


def state(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> State:
    """Return random tensors, large enough that each of them matters; the gains of norms are around 1."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: 0.3 * torch.randn(shape, generator=generator)
        + (name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight", "a_2")))
        for name, shape in shapes.items()
    }


def nanogpt_state(bias: bool, seed: int = 0, prefix: str = "") -> State:
    """Return a state dict with nanoGPT's names; the output head is the token table."""
    shapes: dict[str, tuple[int, ...]] = {
        "transformer.wte.weight": (ROWS, WIDTH),
        "transformer.wpe.weight": (CONTEXT, WIDTH),
    }
    for layer in range(N_LAYER):
        for name, shape in (
            ("ln_1", (WIDTH,)),
            ("attn.c_attn", (3 * WIDTH, WIDTH)),
            ("attn.c_proj", (WIDTH, WIDTH)),
            ("ln_2", (WIDTH,)),
            ("mlp.c_fc", (4 * WIDTH, WIDTH)),
            ("mlp.c_proj", (WIDTH, 4 * WIDTH)),
        ):
            shapes[f"transformer.h.{layer}.{name}.weight"] = shape
            if bias:
                shapes[f"transformer.h.{layer}.{name}.bias"] = shape[:1]
    shapes["transformer.ln_f.weight"] = (WIDTH,)
    if bias:
        shapes["transformer.ln_f.bias"] = (WIDTH,)
    made = state(shapes, seed)
    made["lm_head.weight"] = made["transformer.wte.weight"]
    return {prefix + name: tensor for name, tensor in made.items()}


def gptlab_state(bias: bool = False, seed: int = 0) -> State:
    """Return a state dict with GPTLab's names, causal masks included."""
    shapes: dict[str, tuple[int, ...]] = {
        "transformer.wte.weight": (ROWS, WIDTH),
        "transformer.wpe.weight": (CONTEXT, WIDTH),
    }
    for layer in range(N_LAYER):
        block = f"transformer.h.{layer}"
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{block}.{norm}.a_2": (WIDTH,), f"{block}.{norm}.b_2": (WIDTH,)}
        for letter in "qvk":
            shapes |= {
                f"{block}.attn.{letter}_linear.weight": (WIDTH, WIDTH),
                f"{block}.attn.{letter}_linear.bias": (WIDTH,),
            }
        for name, out, into in (
            ("attn.c_proj", WIDTH, WIDTH),
            ("mlp.c_fc", 4 * WIDTH, WIDTH),
            ("mlp.c_proj", WIDTH, 4 * WIDTH),
        ):
            shapes[f"{block}.{name}.weight"] = (out, into)
            if bias:
                shapes[f"{block}.{name}.bias"] = (out,)
    shapes |= {"transformer.ln_f.a_2": (WIDTH,), "transformer.ln_f.b_2": (WIDTH,)}
    made = state(shapes, seed)
    for layer in range(N_LAYER):
        made[f"transformer.h.{layer}.attn.masks"] = torch.tril(torch.ones(1, 1, CONTEXT, CONTEXT))
    made["lm_head.weight"] = made["transformer.wte.weight"]
    return made


def linear(x: Tensor, weights: State, name: str) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0.0)


def nanogpt_logits(weights: State, idx: Tensor) -> Tensor:
    """Return the logits (B, T, rows) of nanoGPT: PyTorch's norm, exact GELU, one projection for query, key and value."""

    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / torch.sqrt(centred.square().mean(-1, keepdim=True) + 1e-5)
        return scaled * weights[f"{name}.weight"] + weights.get(f"{name}.bias", 0.0)

    def heads(x: Tensor, block: str) -> tuple[Tensor, ...]:
        return linear(x, weights, f"{block}.attn.c_attn").split(WIDTH, dim=-1)

    def gelu(x: Tensor) -> Tensor:
        return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))

    return logits(weights, idx, norm, heads, gelu)


def gptlab_logits(weights: State, idx: Tensor) -> Tensor:
    """Return the logits of GPTLab: a norm by the sample deviation, tanh-GELU, three projections."""

    def norm(x: Tensor, name: str) -> Tensor:
        deviation = x.std(-1, keepdim=True)  # with C - 1 below
        return weights[f"{name}.a_2"] * (x - x.mean(-1, keepdim=True)) / (deviation + 1e-5) + weights[f"{name}.b_2"]

    def heads(x: Tensor, block: str) -> tuple[Tensor, ...]:
        return tuple(linear(x, weights, f"{block}.attn.{letter}_linear") for letter in "qkv")

    def gelu(x: Tensor) -> Tensor:
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    return logits(weights, idx, norm, heads, gelu)


def logits(
    weights: State,
    idx: Tensor,
    norm: Callable[[Tensor, str], Tensor],
    heads: Callable[[Tensor, str], tuple[Tensor, ...]],
    gelu: Callable[[Tensor], Tensor],
) -> Tensor:
    """Return the logits of a pre-norm GPT, position by position and head by head."""
    x = weights["transformer.wte.weight"][idx] + weights["transformer.wpe.weight"][: idx.shape[1]]
    for layer in range(N_LAYER):
        block = f"transformer.h.{layer}"
        q, k, v = heads(norm(x, f"{block}.ln_1"), block)
        gathered = torch.zeros_like(x)
        for head in range(N_HEAD):
            of = slice(head * WIDTH // N_HEAD, (head + 1) * WIDTH // N_HEAD)
            for here in range(idx.shape[1]):
                scores = (q[:, here : here + 1, of] * k[:, : here + 1, of]).sum(-1) / math.sqrt(WIDTH // N_HEAD)
                gathered[:, here, of] = (scores.softmax(-1)[..., None] * v[:, : here + 1, of]).sum(1)
        x = x + linear(gathered, weights, f"{block}.attn.c_proj")
        hidden = gelu(linear(norm(x, f"{block}.ln_2"), weights, f"{block}.mlp.c_fc"))
        x = x + linear(hidden, weights, f"{block}.mlp.c_proj")
    return norm(x, "transformer.ln_f") @ weights["lm_head.weight"].T
