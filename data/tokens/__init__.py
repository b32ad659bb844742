"""Tokenizers of characters and sub-words, special tokens, and batches of token windows."""
