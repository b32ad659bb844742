"""How much text to generate, and which part of it the model sees. Imports no PyTorch, so that pages and commands start fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import tyro

from data.errors import InputError

MOST_SAMPLES = 256
MOST_TOKENS = 1_000_000

Window = Literal["slide", "half"]
"""What the model sees of a text beyond its context: the last ``block_size`` tokens, or, whenever the context is full, its last half."""


def window_start(n_read: int, n_prompt: int, block_size: int, window: Window) -> int:
    """Find the first token of the window that the model sees of ``n_read`` tokens, ``n_prompt`` of them from the prompt.

    Examples
    --------
    >>> [window_start(n, 3, 8, "slide") for n in (3, 8, 9, 10, 13)]
    [0, 0, 1, 2, 5]
    >>> [window_start(n, 3, 8, "half") for n in (3, 8, 9, 10, 13)]
    [0, 0, 4, 4, 8]
    """
    if window == "slide":
        return max(0, n_read - block_size)
    initial, stride = max(0, n_prompt - block_size), max(1, block_size // 2)
    n_over = max(0, n_read - initial - block_size)
    return initial + -(-n_over // stride) * stride


@dataclass(frozen=True)
class GenerationRequest:
    """How much to generate: tokens and samples, stop sequences, context window and cache."""

    n_tokens: Annotated[int, tyro.conf.arg(name="tokens")] = 200
    """How many tokens to add to the prompt, at most."""
    n_samples: Annotated[int, tyro.conf.arg(name="samples")] = 1
    """How many texts; they are made together, and each is the same whatever their number."""
    seed: int = 0
    """Seed of the random generators."""
    stop: Annotated[tuple[str, ...], tyro.conf.arg(metavar="TEXT"), tyro.conf.UseAppendAction] = ()
    """A text that ends a sample and is left out of it; may be given again. In the command, \\n stands for the end of a line."""
    window: Window = "slide"
    """What the model sees of a text longer than its context: its end, or, each time the context is full, its last half, which is faster."""
    cache: bool = True
    """Use a key-value cache. The text is the same without, and takes longer."""
    clean_up_spaces: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Drop the space before punctuation and short forms, as Hugging Face prints GPT-1's text: i'm, and not i 'm."""

    def __post_init__(self) -> None:
        for name, most in (("n_tokens", MOST_TOKENS), ("n_samples", MOST_SAMPLES)):
            if not 1 <= getattr(self, name) <= most:
                raise InputError(
                    f"the number of {name[2:]} must be between 1 and {most:,}; got {getattr(self, name):,}"
                )
        if self.seed < 0:
            raise InputError(f"the seed must be 0 or more; got {self.seed}")
        if "" in self.stop:
            raise InputError("a stop sequence is empty, and would end every text at once: give at least one character")
        if self.window not in get_args(Window):
            raise InputError(f"there is no window {self.window!r}; there is {', '.join(get_args(Window))}")
