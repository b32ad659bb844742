"""Incremental detokenization: the text of a sample while its tokens come, up to its first stop sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from data.tokens.tokenizers import HALF, Tokenizer

MAX_INCOMPLETE = 3
"""Replacement characters at the end that may still become a character: it has at most four bytes, and some decoders write one a byte."""
_N_CONTEXT = 8
"""Tokens of the prompt that are decoded together with the first new token."""
_CLEANED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


def clean_up_spaces(text: str) -> str:
    """Drop the space before punctuation and short forms, in the order of Hugging Face's ``clean_up_tokenization``.

    Examples
    --------
    >>> clean_up_spaces("hello , i 'm sure it is n't his ' s .")
    "hello, i'm sure it isn't his's."
    """
    for spaced in _CLEANED:
        text = text.replace(spaced, spaced.strip(" "))
    return text


@dataclass
class StreamedText:
    """The text of a sample, decoded token by token.

    A few earlier tokens are decoded with each new one, because some tokenizers write a token differently at the start of a text.

    Examples
    --------
    >>> from data.tokens.tokenizers import CharTokenizer
    >>> text = StreamedText(CharTokenizer("abc"), stop=("bc",))
    >>> [text.add(token) for token in (0, 1, 0, 1, 2)], text.is_stopped
    (['a', '', 'ba', '', ''], True)
    """

    tokenizer: Tokenizer
    stop: Sequence[str] = ()
    clean_up_spaces: bool = False
    is_stopped: bool = False
    _ids: list[int] = field(default_factory=list)
    _first: int = 0
    """The first token that is decoded."""
    _n_settled: int = 0
    """Number of tokens up to the last one after which the text ended in a whole character."""
    _n_returned: int = 0
    """Characters of the decoded text that were passed on."""
    _uncleaned: str = ""
    """Text whose spaces depend on what follows."""
    _held: str = ""
    """Text that could be the start of a stop sequence."""

    @classmethod
    def after(
        cls, prompt: list[int], tokenizer: Tokenizer, stop: Sequence[str] = (), *, clean_up_spaces: bool = False
    ) -> StreamedText:
        """Build the text that continues the tokens of a prompt: some decoders add or drop the space between the two."""
        start = max(0, len(prompt) - _N_CONTEXT)
        earlier = range(start, max(-1, start - MAX_INCOMPLETE - 1), -1)
        decoded = {first: tokenizer.decode(prompt[first:]) for first in earlier}
        first = next((first for first in earlier if not decoded[first].startswith(HALF)), start)
        n_known = len(decoded[first])
        places = len(prompt) - first, n_known
        return cls(tokenizer, stop, clean_up_spaces, False, prompt[first:], 0, *places)

    def add(self, token: int) -> str:
        """Add the next token and return the text that has become certain."""
        self._ids.append(token)
        decoded = self.tokenizer.decode(self._ids[self._first :])
        n_incomplete = len(decoded) - len(decoded.rstrip(HALF))
        is_whole = not n_incomplete
        if len(self._ids) - self._n_settled > MAX_INCOMPLETE:  # the first of them can no longer become a character
            n_incomplete = min(n_incomplete, MAX_INCOMPLETE)
        n_certain = max(len(decoded) - n_incomplete, self._n_returned)
        new, self._n_returned = decoded[self._n_returned : n_certain], n_certain
        if is_whole:
            self._first, self._n_settled = self._n_settled, len(self._ids)
            self._n_returned = len(self.tokenizer.decode(self._ids[self._first :]))
        return self._release(self._clean(new))

    def finish(self) -> str:
        """Return the text that was held back, after the last token."""
        decoded = self.tokenizer.decode(self._ids[self._first :])
        released = self._release(self._clean(decoded[self._n_returned :], is_end=True))
        return released if self.is_stopped else released + self._held

    def _clean(self, new: str, *, is_end: bool = False) -> str:
        """Clean up the spaces of new text; an end that depends on what follows is held back, unless nothing does."""
        if not self.clean_up_spaces:
            return new
        text = self._uncleaned + new
        # No pattern extends over a character that is in none of them.
        n_certain = len(text if is_end else text.rstrip("".join(_CLEANED)))
        self._uncleaned = text[n_certain:]
        return clean_up_spaces(text[:n_certain])

    def _release(self, new: str) -> str:
        """Split new text into what is returned and what is held back because it could be the start of a stop sequence."""
        text = self._held + new
        places = [place for place in (text.find(stop) for stop in self.stop) if place >= 0]
        if places:
            self.is_stopped, self._held = True, ""
            return text[: min(places)]
        n_held = max((_overlap(text, stop) for stop in self.stop), default=0)
        self._held = text[len(text) - n_held :]
        return text[: len(text) - n_held]


def _overlap(text: str, stop: str) -> int:
    """Count the characters at the end of a text that are the start of a stop sequence."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
