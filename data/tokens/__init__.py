"""Tokenizers of characters and sub-words, special tokens, and batches of token windows."""

from data.tokens.batches import (
    sequential_windows,
    shuffled_starts,
    split_text,
    split_tokens,
    window_index,
    window_starts,
)
from data.tokens.bits import bits_per_character
from data.tokens.special_tokens import with_special_tokens
from data.tokens.subwords import SubwordTokenizer
from data.tokens.tokenizers import CharTokenizer, Tokenizer, WordList, tokenizer_from_json
from data.tokens.vocabularies import gpt2_tokenizer, learn_bpe, read_tokenizer

__all__ = [
    "CharTokenizer",
    "SubwordTokenizer",
    "Tokenizer",
    "WordList",
    "bits_per_character",
    "gpt2_tokenizer",
    "learn_bpe",
    "read_tokenizer",
    "sequential_windows",
    "shuffled_starts",
    "split_text",
    "split_tokens",
    "tokenizer_from_json",
    "window_index",
    "window_starts",
    "with_special_tokens",
]
