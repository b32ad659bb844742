"""Exceptions for mistakes that the user can correct."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_MARK = re.compile(r"`([a-z]\w*)(?:=([^`]*))?`")


class InputError(ValueError):
    """An input that cannot be used. The message is one line: what is wrong, what was found, what to do.

    A message puts the fields and arguments that it names into backticks, with the value to pass if there is one. Whoever shows
    it words these marks (`worded`): a command as its options, a page as the labels of its form. Commands then exit with
    status 2 (`data.commands`). Any other exception is a defect.
    """

    def worded(self, write: Callable[[str, str | None], str | None]) -> str:
        """Word the fields that the message marks.

        Parameters
        ----------
        write : takes the name of a field and the advised value, None if there is none; returns the words, or None to keep the mark.

        Examples
        --------
        >>> InputError("pass `fps=30`").worded(lambda name, value: f"{name.upper()} {value}")
        'pass FPS 30'
        """

        def word(mark: re.Match[str]) -> str:
            words = write(mark[1], mark[2])
            return mark[0] if words is None else words

        return _MARK.sub(word, str(self))


class NotApplicableError(InputError):
    """A request that does not apply to the run: its model has no such part, or such data was not recorded."""


def list_names(names: Iterable[object], most: int = 8) -> str:
    """List names for a message; of many only the first, and the number of the others.

    Examples
    --------
    >>> list_names(["a", "b", "c", "d"], most=2)
    'a, b and 2 more'
    """
    texts = [str(name) for name in names]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
