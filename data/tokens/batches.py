"""Batches: the split of a text, and windows of it that depend only on (seed, stream, step).

A window is ``block_size + 1`` tokens: the first ``block_size`` are the input of the model, the last ``block_size`` the targets. One
indexing operation takes a batch out of the tokens::

    index = window_index(window_starts(len(tokens), T, B, seed=seed, step=step), T)     # (B, T+1)
    windows = tokens[index]
    x, y = windows[:, :-1], windows[:, 1:]                                              # (B, T) each

Since the windows of a step follow from its number, resumed training sees the same windows as uninterrupted training, and no state of a
random generator is stored.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

import numpy as np

from data.arrays import TokenIds
from data.errors import InputError
from data.tokens.tokenizers import Tokenizer


def split_text(text: str, train_fraction: float = 0.9) -> tuple[str, str]:
    """Split a text into a train part and a validation part.

    The split is measured in characters, so the validation text is the same for every tokenizer.

    Parameters
    ----------
    text : the whole text.
    train_fraction : share of the characters in the train part, which comes first.

    Returns
    -------
    train, val : the two parts.

    Examples
    --------
    >>> split_text("abcdefghijklmnopqrst")
    ('abcdefghijklmnopqr', 'st')
    """
    if not 0 < train_fraction < 1:
        raise InputError(f"the share of the text to learn from must be between 0 and 1; got {train_fraction}")
    cut = int(train_fraction * len(text))
    return text[:cut], text[cut:]


def split_tokens(tokenizer: Tokenizer, text: str, block_size: int) -> tuple[TokenIds, TokenIds]:
    """Encode the train part and the validation part of a text (see `split_text`), (n_tokens,) each.

    It is an error if a part is shorter than one window of ``block_size`` + 1 tokens.
    """
    train, val = (tokenizer.encode(part) for part in split_text(text))
    if min(len(train), len(val)) <= block_size:
        parts = f"{len(train):,} tokens to train on and {len(val):,} to validate on"
        raise InputError(
            f"the text is too short for a context of {block_size}: it makes {parts}, "
            f"and each part needs {block_size + 1} or more: use a longer text or a smaller `block_size`"
        )
    return train, val


def window_starts(
    n_tokens: int, block_size: int, batch_size: int, *, seed: int, step: int, stream: str = "train"
) -> TokenIds:
    """Draw the starts of the windows of one step uniformly from all windows that fit.

    Parameters
    ----------
    n_tokens : length of the text in tokens.
    block_size, batch_size : tokens of context, number of windows.
    seed, step, stream : the draw depends on these alone; another stream, e.g. "val", gives another draw for the same step.

    Returns
    -------
    starts : shape (batch_size,), from 0 to ``n_tokens - block_size - 1``.

    Raises
    ------
    InputError
        If no window fits, or the seed or the step is out of range.

    Examples
    --------
    >>> starts = window_starts(1000, 32, 4, seed=1, step=7)
    >>> bool((starts == window_starts(1000, 32, 4, seed=1, step=7)).all())
    True
    """
    _check_fit(n_tokens, block_size)
    _check_key(seed, step)
    return _generator(stream, step, seed).integers(0, n_tokens - block_size, size=batch_size)


def shuffled_starts(n_tokens: int, block_size: int, batch_size: int, *, seed: int, step: int) -> TokenIds:
    """Draw the starts of the windows of one step so that each token is predicted once per epoch.

    An epoch cuts the text into adjacent windows, at a random offset, and takes them in random order. Compared with `window_starts`, no
    part of the text is repeated before all others have been used.

    Parameters, returns and errors are those of `window_starts`.

    Examples
    --------
    >>> epoch = np.concatenate([shuffled_starts(41, 4, 5, seed=1, step=step) for step in range(2)])
    >>> bool((np.diff(np.sort(epoch[:9])) == 4).all())
    True
    """
    _check_fit(n_tokens, block_size)
    _check_key(seed, step)
    windows = (n_tokens - block_size) // block_size
    if windows == 0:  # hardly longer than a context
        return window_starts(n_tokens, block_size, batch_size, seed=seed, step=step)
    numbers = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs = numbers // windows
    orders = {int(epoch): _epoch_order(n_tokens, block_size, seed, int(epoch)) for epoch in np.unique(epochs)}
    return np.array([orders[int(epoch)][place] for epoch, place in zip(epochs, numbers % windows, strict=True)])


@lru_cache(maxsize=4)
def _epoch_order(n_tokens: int, block_size: int, seed: int, epoch: int) -> TokenIds:
    generator = _generator("epoch", epoch, seed)
    offset = generator.integers(0, block_size)
    return offset + block_size * generator.permutation((n_tokens - block_size) // block_size)


def window_index(starts: TokenIds, block_size: int) -> TokenIds:
    """Build the index that gathers the tokens of windows, (B, T+1), from the first of each, (B,).

    Examples
    --------
    >>> window_index(np.array([0, 5]), block_size=2)
    array([[0, 1, 2],
           [5, 6, 7]])
    """
    return starts[:, None] + np.arange(block_size + 1)


def sequential_windows(n_tokens: int, block_size: int) -> TokenIds:
    """List the starts of windows, (n_windows,), that predict each token of a text once, from at most ``block_size`` tokens before it.

    Windows overlap by one token: the last target of one is the first input of the next. The first token of the text is never
    predicted, and the remainder at the end, fewer than ``block_size`` tokens, is left out.

    Examples
    --------
    >>> sequential_windows(10, block_size=3)
    array([0, 3, 6])
    """
    _check_fit(n_tokens, block_size)
    return np.arange(0, n_tokens - block_size, block_size)


def _generator(stream: str, step: int, seed: int) -> np.random.Generator:
    # Seeded from four words, so that no two keys collide; NumPy reads an array faster than a tuple.
    return np.random.default_rng(
        np.array((crc32(stream.encode()), step, seed & 0xFFFFFFFF, seed >> 32), dtype=np.uint32)
    )


def _check_key(seed: int, step: int) -> None:
    if not (0 <= seed < 1 << 64 and 0 <= step < 1 << 32):
        raise InputError(
            f"a seed lies between 0 and 2**64 - 1 and a step between 0 and 2**32 - 1; got seed {seed}, step {step}"
        )


def _check_fit(n_tokens: int, block_size: int) -> None:
    if block_size < 1:
        raise InputError(f"`block_size` must be 1 or more; got {block_size}")
    if n_tokens <= block_size:
        needed = f"a context of {block_size} needs {block_size + 1} tokens"
        raise InputError(f"{needed}, and the text has {n_tokens}: use a longer text or a smaller `block_size`")
