"""nanoGPT's ``ckpt.pt``: weights under ``model``, the shape under ``model_args``; linear layers as ours, exact GELU.

Checkpoints from before 2023, when nanoGPT changed to exact GELU, have the tanh form. They do not record it; the option ``gelu`` sets it.
"""

from __future__ import annotations

from data.errors import InputError
from trainer.config import ModelConfig
from trainer.pretrained.mapping import MASK, TIED, MappingEntry, weight_and_bias
from trainer.pretrained.readers.family import ModelFamily, non_negative_number, positive_integer, saved_step
from trainer.pretrained.source import ModelSource

TABLE = (
    MappingEntry("wte.weight", "wte.weight"),
    MappingEntry("wpe.weight", "wpe.weight"),
    *weight_and_bias("h.#.ln_1"),
    *weight_and_bias("h.#.attn.c_attn"),
    *weight_and_bias("h.#.attn.c_proj"),
    *weight_and_bias("h.#.ln_2"),
    *weight_and_bias("h.#.mlp.c_fc"),
    *weight_and_bias("h.#.mlp.c_proj"),
    *weight_and_bias("ln_f"),
    MappingEntry("lm_head.weight", "wte.weight", TIED),
    MappingEntry("h.#.attn.bias", None, MASK),
)

_KNOWN = {"n_layer", "n_head", "n_embd", "block_size", "bias", "vocab_size", "dropout"}


def shape(source: ModelSource) -> ModelConfig:
    """Read the shape of our GPT from the arguments of a nanoGPT, refusing those that nanoGPT lacks."""
    settings = source.settings["model_args"]
    changed = next((name for name, value in settings.items() if name not in _KNOWN and value), None)
    if changed is not None:
        raise InputError(
            f"{source.path} is of a nanoGPT that was changed: its model_args has {changed}={settings[changed]!r}"
        )
    return ModelConfig(
        vocab_size=positive_integer(settings, "vocab_size"),
        block_size=positive_integer(settings, "block_size"),
        n_layer=positive_integer(settings, "n_layer"),
        n_head=positive_integer(settings, "n_head"),
        n_embd=positive_integer(settings, "n_embd"),
        dropout=non_negative_number(settings, "dropout", 0.0),
        bias="all" if settings.get("bias", True) else "none",
        gelu="exact",
    )


REMARK = "GELU is taken as exact; pass --gelu tanh if the checkpoint is from before nanoGPT changed to it in 2023"

NANOGPT = ModelFamily(
    "nanogpt",
    lambda source: isinstance(source.settings.get("model_args"), dict),
    shape,
    TABLE,
    step=lambda source: saved_step(source, "iter_num"),
    remark=lambda tokenizer: REMARK,
)
