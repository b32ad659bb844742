"""GPT-1 in Hugging Face's format (``openai-gpt``): LayerNorm after each sum, no final norm, GELU in its tanh form.

References
----------
Radford, Narasimhan, Salimans and Sutskever (2018), Improving language understanding by generative pre-training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.errors import NotApplicableError
from trainer.config import ModelConfig
from trainer.pretrained.mapping import COUNTING, MASK, TIED, TRANSPOSED, MappingEntry, weight_and_bias
from trainer.pretrained.readers.family import ModelFamily, non_negative_number, positive_integer
from trainer.pretrained.source import ModelSource

TABLE = (
    MappingEntry("tokens_embed.weight", "wte.weight"),
    MappingEntry("positions_embed.weight", "wpe.weight"),
    *weight_and_bias("h.#.attn.c_attn", conversion=TRANSPOSED),
    *weight_and_bias("h.#.attn.c_proj", conversion=TRANSPOSED),
    *weight_and_bias("h.#.ln_1"),
    *weight_and_bias("h.#.mlp.c_fc", conversion=TRANSPOSED),
    *weight_and_bias("h.#.mlp.c_proj", conversion=TRANSPOSED),
    *weight_and_bias("h.#.ln_2"),
    MappingEntry("lm_head.weight", "wte.weight", TIED),
    MappingEntry("h.#.attn.bias", None, MASK),
    MappingEntry("position_ids", None, COUNTING),
)


def shape(source: ModelSource) -> ModelConfig:
    """Read the shape of our GPT from the configuration of a GPT-1."""
    settings = source.settings
    if settings.get("afn", "gelu") != "gelu":
        raise NotApplicableError(f"its activation is {settings['afn']!r} and not GELU")
    return ModelConfig(
        vocab_size=positive_integer(settings, "vocab_size", 40478),
        block_size=positive_integer(settings, "n_positions", 512),
        n_layer=positive_integer(settings, "n_layer", 12),
        n_head=positive_integer(settings, "n_head", 12),
        n_embd=positive_integer(settings, "n_embd", 768),
        dropout=non_negative_number(settings, "resid_pdrop", 0.1),
        norm="post",
        bias="all",
        gelu="tanh",
        norm_eps=non_negative_number(settings, "layer_norm_epsilon", 1e-5),
    )


def _remark(tokenizer: Mapping[str, Any]) -> str:
    if tokenizer["kind"] != "subwords":
        return ""
    return "GPT-1 learned from text that ftfy and spaCy had cut; here a basic rule cuts it: lower-cased, accents and line ends dropped"


GPT1 = ModelFamily(
    "gpt1",
    lambda source: source.settings.get("model_type") == "openai-gpt",
    shape,
    TABLE,
    remark=_remark,
)
