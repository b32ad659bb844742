"""GPT-2 and its family as Hugging Face keeps them (``gpt2``).

References
----------
Radford, Wu, Child, Luan, Amodei and Sutskever (2019), Language models are unsupervised multitask learners.
"""

from __future__ import annotations

from data.errors import InputError, NotApplicableError
from trainer.config import ModelConfig
from trainer.pretrained.mapping import MASK, TIED, TRANSPOSED, Entry, bare, both
from trainer.pretrained.readers.family import Family, number, real
from trainer.pretrained.source import ModelSource

TABLE = (
    Entry("wte.weight", "wte.weight"),
    Entry("wpe.weight", "wpe.weight"),
    *both("h.#.ln_1"),
    *both("h.#.attn.c_attn", way=TRANSPOSED),
    *both("h.#.attn.c_proj", way=TRANSPOSED),
    *both("h.#.ln_2"),
    *both("h.#.mlp.c_fc", way=TRANSPOSED),
    *both("h.#.mlp.c_proj", way=TRANSPOSED),
    *both("ln_f"),
    Entry("lm_head.weight", "wte.weight", TIED),
    Entry("h.#.attn.bias", None, MASK),
    Entry("h.#.attn.masked_bias", None, MASK),
)

GELU = {"gelu_new": "tanh", "gelu_pytorch_tanh": "tanh", "gelu_fast": "tanh", "gelu": "exact"}
"""Hugging Face's names for the two forms of GELU."""


def shape(source: ModelSource) -> ModelConfig:
    """Return the shape of our GPT in the form of this GPT-2."""
    settings = source.settings
    width, activation = number(settings, "n_embd", 768), settings.get("activation_function", "gelu_new")
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
    if settings.get("tie_word_embeddings") is False and "lm_head.weight" not in map(bare, source.shapes):
        raise InputError(
            f"{source.path} lacks the tensor 'lm_head.weight', and its config.json says that it has one of its own"
        )
    return ModelConfig(
        vocab_size=number(settings, "vocab_size", 50257),
        block_size=number(settings, "n_positions", 1024),
        n_layer=number(settings, "n_layer", 12),
        n_head=number(settings, "n_head", 12),
        n_embd=width,
        dropout=real(settings, "resid_pdrop", 0.1),
        bias="all",
        gelu=GELU[activation],
        norm_eps=real(settings, "layer_norm_epsilon", 1e-5),
    )


GPT2 = Family("gpt2", lambda source: source.settings.get("model_type") == "gpt2", shape, TABLE)
