"""GPT-2 and its family in Hugging Face's format (``gpt2``).

References
----------
Radford, Wu, Child, Luan, Amodei and Sutskever (2019), Language models are unsupervised multitask learners.
"""

from __future__ import annotations

from data.errors import InputError, NotApplicableError
from trainer.config import ModelConfig
from trainer.pretrained.mapping import MASK, TIED, TRANSPOSED, MappingEntry, strip_prefixes, weight_and_bias
from trainer.pretrained.readers.family import ModelFamily, non_negative_number, positive_integer
from trainer.pretrained.source import ModelSource

TABLE = (
    MappingEntry("wte.weight", "wte.weight"),
    MappingEntry("wpe.weight", "wpe.weight"),
    *weight_and_bias("h.#.ln_1"),
    *weight_and_bias("h.#.attn.c_attn", conversion=TRANSPOSED),
    *weight_and_bias("h.#.attn.c_proj", conversion=TRANSPOSED),
    *weight_and_bias("h.#.ln_2"),
    *weight_and_bias("h.#.mlp.c_fc", conversion=TRANSPOSED),
    *weight_and_bias("h.#.mlp.c_proj", conversion=TRANSPOSED),
    *weight_and_bias("ln_f"),
    MappingEntry("lm_head.weight", "wte.weight", TIED),
    MappingEntry("h.#.attn.bias", None, MASK),
    MappingEntry("h.#.attn.masked_bias", None, MASK),
)

GELU = {"gelu_new": "tanh", "gelu_pytorch_tanh": "tanh", "gelu_fast": "tanh", "gelu": "exact"}
"""Hugging Face's names of the two forms of GELU, and ours."""


def shape(source: ModelSource) -> ModelConfig:
    """Read the shape of our GPT from the configuration of a GPT-2."""
    settings = source.settings
    width, activation = positive_integer(settings, "n_embd", 768), settings.get("activation_function", "gelu_new")
    if not isinstance(activation, str) or activation not in GELU:
        raise NotApplicableError(f"its activation is {activation!r} and not GELU")
    if settings.get("n_inner") not in (None, 4 * width):
        raise NotApplicableError(f"its MLPs are {settings['n_inner']} wide and not {4 * width}")
    for name, ours in (
        ("scale_attn_weights", True),
        ("scale_attn_by_inverse_layer_idx", False),
        ("add_cross_attention", False),
    ):
        if settings.get(name, ours) is not ours:
            raise NotApplicableError(f"its {name} is {settings[name]}")
    if settings.get("tie_word_embeddings") is False and "lm_head.weight" not in map(strip_prefixes, source.shapes):
        raise InputError(
            f"{source.path} lacks the tensor 'lm_head.weight', and its config.json says that it has one of its own"
        )
    return ModelConfig(
        vocab_size=positive_integer(settings, "vocab_size", 50257),
        block_size=positive_integer(settings, "n_positions", 1024),
        n_layer=positive_integer(settings, "n_layer", 12),
        n_head=positive_integer(settings, "n_head", 12),
        n_embd=width,
        dropout=non_negative_number(settings, "resid_pdrop", 0.1),
        bias="all",
        gelu=GELU[activation],
        norm_eps=non_negative_number(settings, "layer_norm_epsilon", 1e-5),
    )


GPT2 = ModelFamily("gpt2", lambda source: source.settings.get("model_type") == "gpt2", shape, TABLE)
