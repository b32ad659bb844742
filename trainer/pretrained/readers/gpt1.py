"""GPT-1 as Hugging Face keeps it (``openai-gpt``): LayerNorm after each sum, no final norm, ``gelu`` in its tanh form.

References
----------
Radford, Narasimhan, Salimans and Sutskever (2018), Improving language understanding by generative pre-training.
"""

from __future__ import annotations

from data.errors import NotApplicableError
from data.tokens.subwords import SubwordTokenizer
from data.tokens.tokenizers import Tokenizer
from trainer.config import ModelConfig
from trainer.pretrained.mapping import COUNTING, MASK, TIED, TRANSPOSED, Entry, both
from trainer.pretrained.readers.family import Family, number, real
from trainer.pretrained.source import ModelSource

TABLE = (
    Entry("tokens_embed.weight", "wte.weight"),
    Entry("positions_embed.weight", "wpe.weight"),
    *both("h.#.attn.c_attn", way=TRANSPOSED),
    *both("h.#.attn.c_proj", way=TRANSPOSED),
    *both("h.#.ln_1"),
    *both("h.#.mlp.c_fc", way=TRANSPOSED),
    *both("h.#.mlp.c_proj", way=TRANSPOSED),
    *both("h.#.ln_2"),
    Entry("lm_head.weight", "wte.weight", TIED),
    Entry("h.#.attn.bias", None, MASK),
    Entry("position_ids", None, COUNTING),
)


def shape(source: ModelSource) -> ModelConfig:
    """Return the shape of our GPT in the form of this GPT-1."""
    settings = source.settings
    if settings.get("afn", "gelu") != "gelu":
        raise NotApplicableError(f"its activation is {settings['afn']!r} and not GELU")
    return ModelConfig(
        vocab_size=number(settings, "vocab_size", 40478),
        block_size=number(settings, "n_positions", 512),
        n_layer=number(settings, "n_layer", 12),
        n_head=number(settings, "n_head", 12),
        n_embd=number(settings, "n_embd", 768),
        dropout=real(settings, "resid_pdrop", 0.1),
        norm="post",
        bias="all",
        gelu="tanh",
        norm_eps=real(settings, "layer_norm_epsilon", 1e-5),
    )


def _remark(tokenizer: Tokenizer) -> str:
    if not isinstance(tokenizer, SubwordTokenizer):
        return ""
    return "GPT-1 learned from text that ftfy and spaCy had cut; here a basic rule cuts it: lower-cased, accents and line ends dropped"


GPT1 = Family(
    "gpt1",
    lambda source: source.settings.get("model_type") == "openai-gpt",
    shape,
    TABLE,
    remark=_remark,
)
