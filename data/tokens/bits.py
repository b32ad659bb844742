"""Bits per character: a loss that can be compared between tokenizers."""

from __future__ import annotations

import math


def bits_per_character(loss: float, tokens: int, characters: int) -> float:
    """Convert a loss per token to bits per character, which can be compared between tokenizers.

    A token of several characters is harder to predict than one character. The total loss of the text, ``tokens * loss`` nats, is
    therefore divided by its characters.

    Parameters
    ----------
    loss : mean loss, in nats per token.
    tokens : number of tokens in the mean.
    characters : number of characters in these tokens.

    Examples
    --------
    Six letters, each one of 64 equally probable ones, cost the same as two tokens of three such letters:

    >>> bits_per_character(math.log(64**3), tokens=2, characters=6)
    6.0
    >>> bits_per_character(math.log(64), tokens=6, characters=6)
    6.0
    """
    return loss * tokens / characters / math.log(2)
