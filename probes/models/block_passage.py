"""What each block of our GPT does with the last position of a sequence: every addend of its residual stream, and how it comes about."""

from __future__ import annotations

import contextlib
import math
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainer.model import GPT, Block

N_TERMS = 4
"""Terms of a sum that are kept by themselves: those of the largest size; the others are the rest."""


@torch.no_grad()
def block_passages(model: GPT, ids: Tensor) -> dict[str, Tensor]:
    """Measure what the blocks of a model do with the last position of a sequence.

    Parameters
    ----------
    model : our GPT, in evaluation mode.
    ids : token ids, (1, position).

    Returns
    -------
    The variables of `~probes.models.forward_trace.forward_trace` by name, without the step.
    """
    seen = _watch(model, ids)
    blocks = [_passage(block, kept) for block, kept in zip(model.h, seen, strict=True)]  # type: ignore[arg-type]
    return _input(model, ids) | {name: torch.stack([numbers[name] for numbers in blocks]) for name in blocks[0]}


def share_along(parts: Tensor, total: Tensor) -> Tensor:
    """Project vectors (..., dim) on the direction of another (dim): if they add up to it, the shares (...) add up to its norm.

    Examples
    --------
    >>> share_along(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), torch.tensor([3.0, 4.0])).tolist()
    [1.8..., 3.2...]
    """
    shares: Tensor = parts @ (total / total.norm().clamp_min(torch.finfo(total.dtype).tiny))
    return shares


def leading_terms(left: Tensor, right: Tensor, n_terms: int = N_TERMS) -> tuple[Tensor, Tensor, Tensor]:
    """Select the terms of dot products (..., dim) that are largest in size: their indices, and both factors, (..., component)."""
    products = left * right
    order = products.abs().topk(min(n_terms, products.shape[-1]), dim=-1).indices
    return order, left.expand_as(products).gather(-1, order), right.expand_as(products).gather(-1, order)


def _input(model: GPT, ids: Tensor) -> dict[str, Tensor]:
    token, position = model.wte.weight[ids[0, -1]], model.wpe.weight[ids.shape[1] - 1]
    total = token + position
    return {
        "token_vector": token,
        "position_vector": position,
        "token_norm": token.norm(),
        "position_norm": position.norm(),
        "input_norm": total.norm(),
        "token_share": share_along(token, total),
        "position_share": share_along(position, total),
    }


def _watch(model: GPT, ids: Tensor) -> list[dict[str, Tensor]]:
    """Run a model and keep what passes through each block, by name, with the first dimension 1 for the sequence."""
    seen: list[dict[str, Tensor]] = [{} for _ in model.h]
    with contextlib.ExitStack() as stack:
        for block, kept in zip(model.h, seen, strict=True):
            attn: Any = block.attn
            stack.callback(setattr, attn, "observed", attn.observed)
            attn.observed = True
            hook = block.register_forward_pre_hook(lambda _, inputs, kept=kept: kept.update(before=inputs[0]))
            stack.callback(hook.remove)
            for name, module in _places(block).items():
                stack.callback(module.register_forward_hook(partial(_keep, kept, name)).remove)
        model(ids)
    return seen


def _places(block: Any) -> dict[str, Any]:
    return {
        "qkv": block.attn.c_attn,
        "weights": block.attn.pattern,
        "gathered": block.attn.heads,
        "attention": block.attn,
        "hidden": block.mlp.gelu,
        "mlp": block.mlp,
        "after": block,
    }


def _keep(kept: dict[str, Tensor], name: str, _: Any, __: Any, output: Tensor) -> None:
    kept[name] = output


def _passage(block: Block, kept: dict[str, Tensor]) -> dict[str, Tensor]:
    before, attention, mlp, after = (kept[name][0, -1] for name in ("before", "attention", "mlp", "after"))
    is_post = block.norm == "post"
    # GPT-1 normalises each sum. What its MLP is added to has attention in it already.
    between = block.ln_1(before + attention) if is_post else before + attention
    total = between + mlp
    addend = between if is_post else before
    return {
        "attention_output": attention,
        "mlp_output": mlp,
        "residual": after,
        "attention_norm": attention.norm(),
        "mlp_norm": mlp.norm(),
        "residual_norm": after.norm(),
        "sum_norm": total.norm(),
        "before_share": share_along(addend, total),
        "attention_share": share_along(attention, total) * (not is_post),
        "mlp_share": share_along(mlp, total),
        **_heads(block, kept),
        **_units(block, kept),
    }


def _heads(block: Block, kept: dict[str, Tensor]) -> dict[str, Tensor]:
    """Measure the heads: queries times keys, weights, and what each key contributes to what the head writes."""
    n_head = block.attn.n_head
    qkv = kept["qkv"][0]  # (key, 3 * dim)
    head_size = qkv.shape[-1] // (3 * n_head)
    q, k, v = qkv.view(-1, 3, n_head, head_size).permute(1, 2, 0, 3)  # each (head, key, head_size)
    writing = block.attn.c_proj.weight.view(-1, n_head, head_size).permute(1, 2, 0)  # (head, head_size, dim)
    written = (kept["gathered"][0, :, -1:] @ writing)[:, 0]  # (head, dim)
    norms = written.norm(dim=-1)
    directions = written / norms.clamp_min(torch.finfo(norms.dtype).tiny)[:, None]
    weights = kept["weights"][0, :, -1]  # (head, key)
    read = (writing @ directions[:, :, None]).transpose(
        1, 2
    )  # (head, 1, head_size): a value's share is its product with it
    terms = leading_terms(q[:, -1:], k)
    return {
        "score": (q[:, -1:] * k).sum(-1) / math.sqrt(head_size),
        "attention": weights,
        "key_share": weights * (v * read).sum(-1),
        "head_norm": norms,
        "head_share": share_along(written, kept["attention"][0, -1]),
        **dict(zip(("score_dim", "query_value", "key_value"), terms, strict=True)),
    }


def _units(block: Block, kept: dict[str, Tensor]) -> dict[str, Tensor]:
    """Select the hidden units of the MLP that contribute most along the direction of its output."""
    hidden, output = kept["hidden"][0, -1], kept["mlp"][0, -1]
    writing = share_along(block.mlp.c_proj.weight.T, output)  # of each unit, for an activation of 1
    n_terms = min(N_TERMS, block.attn.c_attn.in_features // block.attn.n_head)
    unit, activation, written = leading_terms(hidden, writing, n_terms)
    return {"unit": unit, "activation": activation, "unit_share": activation * written}
