"""Examples as sequences of tokens: the input transformations of the paper on GPT-1 (Radford et al. 2018, section 3.3 and figure 1).

==============  ================================================================  ==================
kind            sequences of an example                                           read by the head
==============  ================================================================  ==================
classification  ``start text extract``                                            the one
entailment      ``start premise delimiter hypothesis extract``                    the one
similarity      ``start first delimiter second extract``, and the other way round both, added
choice          ``start context delimiter answer extract``, one an answer         each by itself
==============  ================================================================  ==================

The head reads the final hidden state at ``extract``, the last token. The three special tokens are new rows of the token table, learned
in fine-tuning.

**Cutting.** A text that is too long for the context is cut at its end; of two texts the longer one is, until both fit. The context of a
choice is cut at its beginning, since the answer continues its end; an answer is cut only if it would fill more than half of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from data.arrays import TokenIds
from data.errors import InputError
from data.tasks.examples import Classification, Entailment, Example, MultipleChoice

SPECIAL_TOKENS = ("<start>", "<delimiter>", "<extract>")
SHORTEST_CONTEXT = 8


@dataclass(frozen=True)
class Specials:
    """The ids of the special tokens around an example's texts."""

    start: int
    delimiter: int
    extract: int


@dataclass(frozen=True)
class Encoded:
    """Examples as tokens.

    ``sequences`` holds the sequences of each example; all examples have the same number. ``targets`` (example,) are classes or scores.
    ``n_cut`` counts the examples that were cut.
    """

    sequences: tuple[tuple[TokenIds, ...], ...]
    targets: NDArray[np.float64]
    specials: Specials
    n_cut: int = 0

    def __len__(self) -> int:
        return len(self.sequences)

    def batch(self, numbers: Sequence[int] | TokenIds) -> Batch:
        """Pad the sequences of some examples to rows of one length."""
        chosen = [self.sequences[number] for number in numbers]
        return lay_out(chosen, self.targets[np.asarray(numbers)], self.specials)


@dataclass(frozen=True)
class Batch:
    """Rows of tokens; the sequences of an example are consecutive rows.

    ``ids`` (B, T) is padded with extract tokens after the one that the head reads, whose position is ``last`` (B,). ``is_text`` (B, T) is
    True for tokens that are neither special nor padding. ``targets`` (example,).
    """

    ids: TokenIds
    last: TokenIds
    is_text: NDArray[np.bool_]
    targets: NDArray[np.float64]

    @property
    def n_predicted(self) -> int:
        """The number of tokens that the language-model loss is the mean over."""
        return int(self.is_text[:, 1:].sum())


def drawn(n: int, most: int | None, *, seed: int = 0) -> TokenIds:
    """Draw at most ``most`` of the numbers below ``n``, all if None, in ascending order.

    Files are often sorted by label or alternate between labels, so neither the first examples nor evenly spaced ones are a fair sample.

    Examples
    --------
    >>> drawn(10, 4), drawn(3, 4)
    (array([1, 4, 6, 7]), array([0, 1, 2]))
    """
    return np.sort(np.random.default_rng([seed, n]).permutation(n)[:most])


def lay_out(sequences: Sequence[Sequence[TokenIds]], targets: NDArray[np.float64], specials: Specials) -> Batch:
    """Pad sequences to the longest; padding after a token cannot change a causal model's output at it.

    Examples
    --------
    >>> batch = lay_out([[np.array([7, 1, 9])], [np.array([7, 1, 2, 9])]], np.array([0.0, 1.0]), Specials(7, 8, 9))
    >>> batch.ids
    array([[7, 1, 9, 9],
           [7, 1, 2, 9]])
    >>> batch.last
    array([2, 3])
    """
    rows = list(chain.from_iterable(sequences))
    ids = np.full((len(rows), max(map(len, rows))), specials.extract, dtype=np.int64)
    for row, sequence in zip(ids, rows, strict=True):
        row[: len(sequence)] = sequence
    framing = [specials.start, specials.delimiter, specials.extract]
    return Batch(ids, np.array([len(row) - 1 for row in rows]), ~np.isin(ids, framing), targets)


def encode_examples(
    examples: Sequence[Example], encode: Callable[[str], TokenIds], specials: Specials, block_size: int
) -> Encoded:
    """Encode examples of one kind as sequences of at most ``block_size`` tokens; ``encode`` maps a text to its tokens."""
    if block_size < SHORTEST_CONTEXT:
        least = f"a task needs a context of {SHORTEST_CONTEXT} tokens or more"
        raise InputError(f"{least}, and the model sees {block_size}")
    encoded = [transform(each, [encode(text) for text in each.texts], specials, block_size) for each in examples]
    targets = np.array([float(example.target) for example in examples])
    return Encoded(tuple(framed for framed, _ in encoded), targets, specials, sum(is_cut for _, is_cut in encoded))


def transform(
    example: Example, texts: Sequence[TokenIds], specials: Specials, block_size: int
) -> tuple[tuple[TokenIds, ...], bool]:
    """Build the sequences of one example from the tokens of each of its texts, and report whether it was cut."""
    room = block_size - 3
    if isinstance(example, Classification):
        kept = [texts[0][: block_size - 2]]
        framed = [_frame(specials, kept[0])]
    elif isinstance(example, MultipleChoice):
        kept, framed = [], []
        for answer in texts[1:]:
            end = answer[: max(room // 2, room - len(texts[0]))]
            start = texts[0][max(0, len(texts[0]) - (room - len(end))) :]
            kept += [start, end]
            framed.append(_frame(specials, start, end))
        texts = list(chain.from_iterable((texts[0], answer) for answer in texts[1:]))
    else:
        kept = _both(texts[0], texts[1], room)
        orders = [kept] if isinstance(example, Entailment) else [kept, kept[::-1]]
        framed = [_frame(specials, *order) for order in orders]
    return tuple(framed), any(len(part) < len(text) for part, text in zip(kept, texts, strict=True))


def _frame(specials: Specials, *texts: TokenIds) -> TokenIds:
    parts: list[TokenIds] = [np.array([specials.start])]
    for number, text in enumerate(texts):
        parts += [np.array([specials.delimiter])] * (number > 0) + [text]
    return np.concatenate([*parts, np.array([specials.extract])]).astype(np.int64)


def _both(one: TokenIds, other: TokenIds, room: int) -> list[TokenIds]:
    """Cut the longer of two texts at its end, token by token, until both fit in ``room``."""
    first = min(len(one), max(room - len(other), (room + 1) // 2))
    return [one[:first], other[: room - first]]
