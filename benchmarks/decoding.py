"""Tokens a second of decoding with the preset cpu, against the plain loop of the project this follows.

Target: with the cache, three times the reference's tokens a second, at the same tokens with and without it.

The reference is written here as GPTLab's published script is built: query, key and value apart, a norm and a GELU spelled out operation by
operation, weights and states of every layer kept and normed, dropout modules, and for each token the whole context read anew. Beside
it stands our own model read anew for each token. Both regimes are printed: while the text fits into the context, where the cache
helps as it should, and beyond, where positions are learned and each token moves them all (`slide`, what the reference does), or the
context is cut to its last half when full (`half`). All take turns in one process, and ratios are taken turn by turn.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from tables import show
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.config import ModelConfig, model_config, preset
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.sampling import sample_tokens
from trainer.machine import reuse_freed_memory
from trainer.model import GPT
from trainer.optimizers.recipes import initialise

VOCABULARY = 115
DROPOUT = 0.2  # of the published model; in evaluation its modules pass on what they get


class PlainNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        mean, deviation = x.mean(-1, keepdim=True), x.std(-1, keepdim=True)
        return self.gain * (x - mean) / (deviation + 1e-5) + self.shift


class PlainAttention(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        width, self.n_head = config.n_embd, config.n_head
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width, bias=False)
        self.drop_weights, self.drop_result = nn.Dropout(DROPOUT), nn.Dropout(DROPOUT)
        self.register_buffer("seen", torch.tril(torch.ones(1, 1, config.block_size, config.block_size)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        B, T, C = x.shape
        key, query, value = (
            of(x).view(B, -1, self.n_head, C // self.n_head).transpose(1, 2)
            for of in (self.key, self.query, self.value)
        )
        scores = (query @ key.transpose(-2, -1)) * (1 / math.sqrt(key.size(-1)))
        weights = F.softmax(scores.masked_fill(self.seen[:, :, :T, :T] == 0, -math.inf), dim=-1)
        gathered = self.drop_weights(weights) @ value
        return self.drop_result(self.out(gathered.transpose(1, 2).contiguous().view(B, T, C))), weights.clone()


class PlainBlock(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        width = config.n_embd
        self.norm_1, self.norm_2, self.attention = PlainNorm(width), PlainNorm(width), PlainAttention(config)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        gathered, weights = self.attention(self.norm_1(x))
        x = x + gathered
        h = self.up(self.norm_2(x))
        h = 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * torch.pow(h, 3.0))))
        return x + self.drop(self.down(h)), weights


class PlainGPT(nn.Module):
    """A GPT of the same shape, as the reference builds it."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.block_size = config.block_size
        self.tokens = nn.Embedding(config.vocab_size, config.n_embd)
        self.positions = nn.Embedding(config.block_size, config.n_embd)
        self.drop = nn.Dropout(DROPOUT)
        self.blocks = nn.ModuleList(PlainBlock(config) for _ in range(config.n_layer))
        self.norm = PlainNorm(config.n_embd)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(self, ids: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        places = torch.arange(ids.shape[1]).unsqueeze(0)
        x = self.drop(self.tokens(ids) + self.positions(places))
        states, kept = [], []
        for block in self.blocks:
            x, weights = block(x)
            states.append(x)
            kept.append(weights)
        logits = self.head(self.norm(x)[:, [-1], :])
        return logits, [self.norm(state) for state in states], kept


@torch.no_grad()
def plain_loop(model: PlainGPT, ids: Tensor, n_tokens: int) -> Tensor:
    """Go on from ``ids`` (B, T) as the reference does."""
    for _ in range(n_tokens):
        seen = ids if ids.shape[1] <= model.block_size else ids[:, -model.block_size :]
        likely = F.softmax(model(seen)[0][:, -1, :] / 0.8, dim=-1)
        ids = torch.cat((ids, torch.multinomial(likely, num_samples=1)), dim=1)
    return ids


def decode(model: GPT, n_prompt: int, request: GenerationRequest) -> list[list[int]]:
    prompt = np.arange(n_prompt) % VOCABULARY
    return [choice.tokens.tolist() for choice in sample_tokens(model, prompt, Decoding(), request)]


def take_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each work, turn by turn; the first round warms up and is left out."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            if number:
                taken[name].append(time.perf_counter() - started)
    return taken


def compare(config: ModelConfig, n_rows: int, n_prompt: int, n_tokens: int, rounds: int) -> list[tuple[str, ...]]:
    """Return a row a way of decoding: its tokens a second, and times the reference's."""
    plain, ours = PlainGPT(config).eval(), GPT(config).eval()
    initialise(ours, "reference", 0)
    beyond = n_prompt + n_tokens > config.block_size
    start = torch.zeros((n_rows, n_prompt), dtype=torch.long)
    works: dict[str, Callable[[], object]] = {"reference": lambda: plain_loop(plain, start, n_tokens)}
    for window in ("slide", "half") if beyond else ("slide",):
        for cache in (False, True):
            request = GenerationRequest(n_tokens=n_tokens, n_samples=n_rows, window=window, cache=cache)
            name = f"ours, {window if beyond else 'fits'}, {'with' if cache else 'without'} cache"
            works[name] = lambda request=request: decode(ours, n_prompt, request)
        same = decode(ours, n_prompt, request) == decode(
            ours, n_prompt, GenerationRequest(**{**request.__dict__, "cache": False})
        )
        if not same:
            raise SystemExit(f"{window}: the tokens with and without cache differ")
    taken = take_turns(works, rounds)
    rows = []
    for name, seconds in taken.items():
        speed = n_rows * n_tokens / statistics.median(seconds)
        ratios = [theirs / own for theirs, own in zip(taken["reference"], seconds, strict=True)]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        rows.append((name, f"{speed:,.0f}", f"{middle:.2f}", f"{low:.2f} - {high:.2f}"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--threads", type=int, nargs="*", default=[1])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    reuse_freed_memory()
    config = model_config(preset(options.preset), VOCABULARY)
    size = config.block_size
    for threads in options.threads:
        torch.set_num_threads(threads)
        for n_rows in (1, 8):
            for n_prompt, n_tokens, words in (
                (1, size - 1, f"the text fits into the context of {size}"),
                (size, 8 * size, f"beyond the context of {size}"),
            ):
                title = f"Decoding, {words}: {n_rows} at once, {threads} thread{'s' * (threads > 1)}"
                columns = ("way", "tokens a second", "times the reference", "half of the turns")
                show(title, columns, compare(config, n_rows, n_prompt, n_tokens, options.rounds))


if __name__ == "__main__":
    main()
