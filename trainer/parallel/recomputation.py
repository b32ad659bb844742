"""Activation checkpointing: the backward pass computes each block anew, so that a step keeps one block's activations and not all.

A step keeps the residual stream before every block, (B, T, C), and takes about a third longer. The gradients are the same: dropout draws
the same numbers again.

References
----------
Chen et al. (2016), Training deep nets with sublinear memory cost.
"""

from __future__ import annotations

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from trainer.model import GPT


class RecomputingGPT(GPT):
    """A GPT that keeps no activations of its blocks in training."""

    def blocks(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pass the residual stream x (B, T, C) through all blocks."""
        if not self.training:
            return super().blocks(x, mask)
        for block in self.h:
            x = checkpoint(block, x, mask, use_reentrant=False)
        return x


def attach(model: GPT) -> None:
    """Train a model with recomputed activations from now on; its weights stay as they are."""
    model.__class__ = RecomputingGPT
