"""GPTLab's ``pytorch_model.bin`` with ``config.json`` and ``vocab.txt``: separate query, key and value, and its own LayerNorm.

Its norm divides by the *sample* standard deviation (denominator C - 1), and adds 1e-5 to the deviation instead of the variance. So our
gains are its gains times sqrt((C - 1) / C), and our epsilon is the square of 1e-5. A vector of deviation s then comes out larger by the
factor 1 + 1e-5 / s, about a hundred-thousandth in trained models.
"""

from __future__ import annotations

import math

from torch import Tensor

from data.errors import InputError
from trainer.config import ModelConfig
from trainer.pretrained.mapping import KEY, MASK, QUERY, TIED, VALUE, Conversion, MappingEntry, weight_and_bias
from trainer.pretrained.readers.family import ModelFamily, non_negative_number, positive_integer, saved_step
from trainer.pretrained.source import ModelSource

NORM_EPS = 1e-10  # the square of what its norm adds to the deviation


def _to_our_gain(gain: Tensor) -> Tensor:
    C = gain.shape[0]
    return gain * math.sqrt((C - 1) / C)


GAIN = Conversion("times sqrt((C - 1) / C): its norm divides by the sample deviation", _to_our_gain)


def _norm(name: str) -> tuple[MappingEntry, ...]:
    """Build the entries of a norm: GPTLab's own, and PyTorch's, which some copies of GPTLab have."""
    own = MappingEntry(f"{name}.a_2", f"{name}.weight", GAIN), MappingEntry(f"{name}.b_2", f"{name}.bias")
    return (*own, *weight_and_bias(name))


TABLE = (
    MappingEntry("wte.weight", "wte.weight"),
    MappingEntry("wpe.weight", "wpe.weight"),
    *_norm("h.#.ln_1"),
    *(
        entry
        for ending in ("_linear", "_proj")
        for letter, third in (("q", QUERY), ("k", KEY), ("v", VALUE))
        for entry in weight_and_bias(f"h.#.attn.{letter}{ending}", "h.#.attn.c_attn", third)
    ),
    *weight_and_bias("h.#.attn.c_proj"),
    *_norm("h.#.ln_2"),
    *weight_and_bias("h.#.mlp.c_fc"),
    *weight_and_bias("h.#.mlp.c_proj"),
    *_norm("ln_f"),
    MappingEntry("lm_head.weight", "wte.weight", TIED),
    MappingEntry("h.#.attn.masks", None, MASK),
    MappingEntry("h.#.attn.bias", None, MASK),
)


def shape(source: ModelSource) -> ModelConfig:
    """Read the shape of our GPT from the configuration of a GPTLab model, whose query, key and value have biases."""
    settings = source.settings
    if not any(name.endswith(".attn.q_linear.bias") or name.endswith(".attn.q_proj.bias") for name in source.shapes):
        raise InputError(f"{source.path} lacks the biases of query, key and value that GPTLab's model has")
    own_norm = any(name.endswith(".a_2") for name in source.shapes)
    return ModelConfig(
        vocab_size=positive_integer(settings, "vocab_size"),
        block_size=positive_integer(settings, "max_len"),
        n_layer=positive_integer(settings, "n_layer"),
        n_head=positive_integer(settings, "n_head"),
        n_embd=positive_integer(settings, "n_embd"),
        dropout=non_negative_number(settings, "dropout", 0.0),
        bias="all" if settings.get("bias", False) else "qkv",
        gelu="tanh",
        norm_eps=NORM_EPS if own_norm else 1e-5,
    )


GPTLAB = ModelFamily(
    "reference",
    lambda source: "max_len" in source.settings and "model_type" not in source.settings,
    shape,
    TABLE,
    step=lambda source: saved_step(source, "max_iters"),
)
