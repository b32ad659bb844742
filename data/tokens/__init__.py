"""Tokenizers of characters and sub-words, special tokens, and batches of token windows."""

from data.tokens.batches import split_text
from data.tokens.special_tokens import with_special_tokens
from data.tokens.subwords import SubwordTokenizer
from data.tokens.tokenizers import CharTokenizer, Tokenizer
from data.tokens.vocabularies import learn_bpe, read_tokenizer

__all__ = [
    "CharTokenizer",
    "SubwordTokenizer",
    "Tokenizer",
    "learn_bpe",
    "read_tokenizer",
    "split_text",
    "with_special_tokens",
]
