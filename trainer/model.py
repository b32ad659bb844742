"""The GPT, whole, in one file to be read from top to bottom.

Text goes in as a row of token ids; out come, for every position, the model's bets on the token that follows. In between,
every token is a vector of ``n_embd`` numbers (its row of the *token table* plus the row of the *position table* for the
place it stands at) that travels through ``n_layer`` blocks. Each block adds two things to the vector: what its attention
gathered from earlier positions, and what its small network (MLP) made of the result. That running sum is called the
*residual stream*.

Shapes in the comments: B sequences in a batch, T positions in a sequence, C = n_embd channels,
n_head heads of head_size = C / n_head channels each.

The architecture is the one of GPT-2 (Radford et al. 2019) at a size that a laptop can train: LayerNorm *before* attention
and MLP, tanh-GELU, learned positions, and an output head that shares its weights with the token table. As in GPTLab, which
this toolkit follows, of the linear layers only the query-key-value projection has a bias. Three choices make its relatives:

============  ======  ===================  =======
is            norm    bias                 gelu
============  ======  ===================  =======
GPTLab, ours  pre     qkv                  tanh
GPT-2         pre     all                  tanh
nanoGPT       pre     all, or else none    exact
GPT-1         post    all                  tanh
============  ======  ===================  =======

GPT-1 (Radford et al. 2018) normalises *after* each sum: its residual stream is never left alone, and needs no norm at the end.
"""

from __future__ import annotations

import math

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn import functional as F

from trainer import fused
from trainer.config import ModelConfig, check_heads

# Up to this context the attention weights are small enough that three plain matrix products beat the fused kernel on a CPU.
PLAIN_ATTENTION_MAX_CONTEXT = 128


class Attention(nn.Module):
    """Causal self-attention: every position looks at itself and the positions before it, never ahead."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.n_head = config.n_head
        self.dropout = config.dropout
        # query, key and value of every head in one product
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias != "none")
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias == "all")
        # Two places to look and to interfere at, by PyTorch's forward hooks: they pass on what they get.
        self.pattern = nn.Identity()  # the attention weights, (B, n_head, T, T)
        self.heads = nn.Identity()  # what each head gathered, (B, n_head, T, head_size)
        self.observed = False  # the fused kernel keeps its weights to itself; whoever hooks `pattern` sets this

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        B, T, C = x.shape
        qkv = self.c_attn(x).view(B, T, 3, self.n_head, C // self.n_head)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, n_head, T, head_size)
        dropout = self.dropout if self.training else 0.0
        if self.observed or (T <= PLAIN_ATTENTION_MAX_CONTEXT and x.device.type == "cpu"):
            y = F.dropout(self.pattern(attention_weights(q, k, mask)), dropout) @ v  # (B, n_head, T, head_size)
        else:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=mask is None)
        y = self.heads(y).transpose(1, 2).reshape(B, T, C)  # heads side by side again
        return F.dropout(self.c_proj(y), self.dropout, self.training)


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return how much each query attends to each key: softmax over the keys at or before it, (B, n_head, T, T).

    A ``mask`` (B, 1, T, T) says instead which keys a query sees; it must let none see ahead, and let each see itself.
    """
    T, head_size = q.shape[-2:]
    hidden = torch.ones(T, T, dtype=torch.bool, device=q.device).triu(1) if mask is None else ~mask
    return F.softmax((q @ k.transpose(-2, -1) / math.sqrt(head_size)).masked_fill(hidden, -torch.inf), dim=-1)


class MLP(nn.Module):
    """Two layers applied to each position on its own, four times as wide in the middle."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias == "all")
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias == "all")
        self.gelu = nn.GELU(approximate="tanh" if config.gelu == "tanh" else "none")
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.gelu(self.c_fc(x))  # (B, T, 4 * C)
        return F.dropout(self.c_proj(hidden), self.dropout, self.training)


def layer_norm(config: ModelConfig) -> nn.LayerNorm:
    """Return what moves and scales each vector to mean 0 and deviation 1, then stretches and shifts each channel as it learned to."""
    return nn.LayerNorm(config.n_embd, eps=config.norm_eps, bias=config.bias != "none")


class Block(nn.Module):
    """Attention, then MLP; each reads a normalised copy of the residual stream and adds to it (or, as GPT-1, norms the sum)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.ln_1 = layer_norm(config)
        self.attn = Attention(config)
        self.ln_2 = layer_norm(config)
        self.mlp = MLP(config)
        self.norm = config.norm

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if self.norm == "post":
            x = self.ln_1(x + self.attn(x, mask))
            x = self.ln_2(x + self.mlp(x))
        else:
            x = x + self.attn(self.ln_1(x), mask)
            x = x + self.mlp(self.ln_2(x))
        return x


class GPT(nn.Module):
    """A GPT of the given configuration.

    Examples
    --------
    >>> model = GPT(ModelConfig(vocab_size=115, block_size=32, n_layer=4, n_head=4, n_embd=64))
    >>> model.count_parameters()
    207936
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        check_heads(config)
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)  # token table
        self.wpe = nn.Embedding(config.block_size, config.n_embd)  # position table
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        # Where every block ends in a norm there is none left to do.
        self.ln_f = layer_norm(config) if config.norm == "pre" else nn.Identity()

    def forward(
        self,
        idx: Tensor,
        targets: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the logits (B, T, vocab_size) and, where targets (B, T) are given, their mean loss in nats per token.

        Where several documents share a row, a ``mask`` (B, 1, T, T) keeps each to itself, and ``positions`` (B, T) begin anew with each.
        """
        T = idx.shape[1]
        if self.config.block_size < T:
            raise ValueError(f"the model sees at most {self.config.block_size} tokens; got {T}: crop the context")
        x = self.wte(idx) + (self.wpe.weight[:T] if positions is None else self.wpe(positions))  # (B, T, C)
        x = F.dropout(x, self.config.dropout, self.training)
        if mask is None and fused.applies(
            self, x
        ):  # training on a CPU: the same numbers sooner, with the backward pass written out by hand
            x = fused.blocks(self, x)
        else:
            for block in self.h:
                x = block(x, mask)
        logits = self.unembed(x)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))

    def unembed(self, x: Tensor) -> Tensor:
        """Turn the residual stream (..., C) into logits (..., vocab_size): a dot product with every row of the token table."""
        return F.linear(self.ln_f(x), self.wte.weight)

    def count_parameters(self) -> int:
        """Count the numbers that training may change; the shared token table counts once."""
        return sum(p.numel() for p in self.parameters())
