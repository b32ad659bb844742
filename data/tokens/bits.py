"""How well a text is foretold, whatever its tokens are: bits per character."""

from __future__ import annotations

import math


def bits_per_character(loss: float, tokens: int, characters: int) -> float:
    """Return what a loss per token comes to per character, so that runs with other tokens can be compared.

    A token that stands for more characters is harder to foretell. What a model needs for the whole text, ``tokens * loss``
    nats, is spread over the characters instead.

    Parameters
    ----------
    loss : mean loss, in nats per token.
    tokens : how many tokens it is the mean of.
    characters : how many characters they stand for.

    Returns
    -------
    Bits per character.

    Examples
    --------
    Six letters, each one of 64 that are equally likely, cost the same as two tokens of three such letters:

    >>> bits_per_character(math.log(64**3), tokens=2, characters=6)
    6.0
    >>> bits_per_character(math.log(64), tokens=6, characters=6)
    6.0
    """
    return loss * tokens / characters / math.log(2)
