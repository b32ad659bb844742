"""How much is to be generated, and what the model sees of it. Light to import: pages and commands read it before PyTorch is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from data.errors import InputError

MOST_SAMPLES = 256
MOST_TOKENS = 1_000_000

Window = Literal["slide", "half"]
"""What is seen of a text longer than the context: always its last ``block_size`` tokens, or, each time it is full, its last half."""


def window_start(n_read: int, n_prompt: int, block_size: int, window: Window) -> int:
    """Return the first token that the model sees of ``n_read``, of which ``n_prompt`` were given.

    Examples
    --------
    >>> [window_start(n, 3, 8, "slide") for n in (3, 8, 9, 10, 13)]
    [0, 0, 1, 2, 5]
    >>> [window_start(n, 3, 8, "half") for n in (3, 8, 9, 10, 13)]
    [0, 0, 4, 4, 8]
    """
    if window == "slide":
        return max(0, n_read - block_size)
    at_first, stride = max(0, n_prompt - block_size), max(1, block_size // 2)
    too_many = max(0, n_read - at_first - block_size)
    return at_first + -(-too_many // stride) * stride


def check_window(window: str) -> Window:
    """Return the window if there is such a one."""
    if window not in get_args(Window):
        raise InputError(f"there is no window {window!r}; there is {', '.join(get_args(Window))}")
    return window  # type: ignore[return-value]


@dataclass(frozen=True)
class GenerationRequest:
    """What is to be generated, beside how each token is chosen.

    Raises
    ------
    InputError
        If a number lies outside its range, or a stop sequence is empty.
    """

    n_tokens: int = 200
    n_samples: int = 1
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Texts that end a sample; they are left out of it."""
    window: Window = "slide"
    cache: bool = True

    def __post_init__(self) -> None:
        for name, most in (("n_tokens", MOST_TOKENS), ("n_samples", MOST_SAMPLES)):
            if not 1 <= getattr(self, name) <= most:
                what = "number of tokens" if name == "n_tokens" else "number of samples"
                raise InputError(f"the {what} must be between 1 and {most:,}; got {getattr(self, name):,}")
        if self.seed < 0:
            raise InputError(f"the seed must be 0 or more; got {self.seed}")
        if "" in self.stop:
            raise InputError("a stop sequence is empty, and would end every text at once: give at least one character")
        check_window(self.window)
