"""The GPT, whole, in one file to be read from top to bottom.

The input is a row of token ids. The output is, for every position, a score (*logit*) for each token that could come next;
a softmax turns the scores into probabilities. In between, every token is a vector of ``n_embd`` numbers: its row of the
*token table* plus the row of the *position table* for its place. The vector passes through ``n_layer`` blocks. Each block
adds two things to it: what attention gathered from earlier positions, and the output of a small network (MLP). This running
sum is called the *residual stream*.

Shapes in the comments: B sequences in a batch, T positions in a sequence, C = n_embd channels,
n_head heads of head_size = C / n_head channels each.

The architecture is the one of GPT-2 (Radford et al. 2019) at a size that a laptop can train: LayerNorm *before* attention
and MLP, tanh-GELU, learned positions, and an output head that shares its weights with the token table. As in GPTLab, which
this toolkit follows, of the linear layers only the query-key-value projection has a bias. Three settings give related models:

============  ======  ===================  =======
model         norm    bias                 gelu
============  ======  ===================  =======
GPTLab, ours  pre     qkv                  tanh
GPT-2         pre     all                  tanh
nanoGPT       pre     all, or else none    exact
GPT-1         post    all                  tanh
============  ======  ===================  =======

GPT-1 (Radford et al. 2018) normalises *after* each sum, so the residual stream needs no norm at the end.
"""

from __future__ import annotations

import math

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn import functional as F

from trainer.config import ModelConfig, check_heads

# On a CPU, up to this context, plain matrix products are faster than PyTorch's attention kernel.
PLAIN_ATTENTION_MAX_CONTEXT = 128


class Attention(nn.Module):
    """Causal self-attention: every position attends to itself and to earlier positions, never to later ones."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.n_head = config.n_head
        self.dropout = config.dropout
        # Query, key and value of all heads in one matrix product.
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias != "none")
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias == "all")
        # Identity layers: forward hooks on them can read or change what passes through.
        self.pattern = nn.Identity()  # the attention weights, (B, n_head, T, T)
        self.heads = nn.Identity()  # the output of each head, (B, n_head, T, head_size)
        self.observed = False  # set by whoever hooks `pattern`: PyTorch's attention kernel does not return its weights

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Apply attention to x (B, T, C); the result has the same shape."""
        B, T, C = x.shape
        qkv = self.c_attn(x)  # (B, T, 3 * C)
        qkv = qkv.view(B, T, 3, self.n_head, C // self.n_head)  # (B, T, 3, n_head, head_size)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, n_head, T, head_size)
        dropout = self.dropout if self.training else 0.0
        if self.observed or (T <= PLAIN_ATTENTION_MAX_CONTEXT and x.device.type == "cpu"):
            weights = self.pattern(attention_weights(q, k, mask))  # (B, n_head, T, T)
            y = F.dropout(weights, dropout) @ v  # (B, n_head, T, head_size)
        else:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=mask is None)
        y = self.heads(y).transpose(1, 2)  # (B, T, n_head, head_size)
        y = y.reshape(B, T, C)  # the heads side by side
        return F.dropout(self.c_proj(y), self.dropout, self.training)


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """Compute the attention weights (B, n_head, T, T): for each query, a softmax over the keys at or before it.

    A ``mask`` (B, 1, T, T), True where a query may attend to a key, replaces the causal one. Every query must be allowed to
    attend to itself, and none to a later key.
    """
    T, head_size = q.shape[-2:]
    hidden = torch.ones(T, T, dtype=torch.bool, device=q.device).triu(1) if mask is None else ~mask
    scores = q @ k.transpose(-2, -1) / math.sqrt(head_size)  # (B, n_head, T, T)
    return F.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)


class MLP(nn.Module):
    """Two linear layers applied to each position separately; the hidden layer is four times as wide."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias == "all")
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias == "all")
        self.gelu = nn.GELU(approximate="tanh" if config.gelu == "tanh" else "none")
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        """Apply the network to x (B, T, C); the result has the same shape."""
        hidden = self.gelu(self.c_fc(x))  # (B, T, 4 * C)
        return F.dropout(self.c_proj(hidden), self.dropout, self.training)


def layer_norm(config: ModelConfig) -> nn.LayerNorm:
    """Build the layer norm of a configuration.

    It normalises each position's vector to mean 0 and variance 1, then scales (and shifts, unless ``bias`` is none) each channel.
    """
    return nn.LayerNorm(config.n_embd, eps=config.norm_eps, bias=config.bias != "none")


class Block(nn.Module):
    """Attention, then MLP: each reads the normalised residual stream and adds to it (in GPT-1 the sum is normalised instead)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.ln_1 = layer_norm(config)
        self.attn = Attention(config)
        self.ln_2 = layer_norm(config)
        self.mlp = MLP(config)
        self.norm = config.norm

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Apply the block to the residual stream x (B, T, C); the result has the same shape."""
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
        # With norm="post" every block already ends in a norm.
        self.ln_f = layer_norm(config) if config.norm == "pre" else nn.Identity()

    def forward(
        self, idx: Tensor, targets: Tensor | None = None, *, mask: Tensor | None = None, positions: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Compute the logits (B, T, vocab_size) and, if targets (B, T) are given, the mean loss in nats per token.

        If several documents share a row, a ``mask`` (B, 1, T, T) keeps them apart, and ``positions`` (B, T) start at 0 in each.
        """
        T = idx.shape[1]
        if self.config.block_size < T:
            raise ValueError(f"the model sees at most {self.config.block_size} tokens; got {T}: crop the context")
        x = self.wte(idx) + (self.wpe.weight[:T] if positions is None else self.wpe(positions))  # (B, T, C)
        x = F.dropout(x, self.config.dropout, self.training)
        logits = self.unembed(self.blocks(x, mask))  # (B, T, vocab_size)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))

    def blocks(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pass the residual stream x (B, T, C) through all blocks; the result has the same shape."""
        for block in self.h:
            x = block(x, mask)
        return x

    def unembed(self, x: Tensor) -> Tensor:
        """Compute the logits (..., vocab_size) of the residual stream (..., C): dot products with the rows of the token table."""
        return F.linear(self.ln_f(x), self.wte.weight)

    def count_parameters(self) -> int:
        """Count the trainable parameters; the token table, which is also the output head, counts once."""
        return sum(p.numel() for p in self.parameters())
