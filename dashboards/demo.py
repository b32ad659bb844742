"""The small run for trying things out: what is trained, on which text, under which name."""

from __future__ import annotations

from collections.abc import Sequence

from data.corpora.catalog import CORPORA, DEFAULT, locate_corpus
from data.errors import InputError

NAME = "demo-tiny"
# Long enough for words to appear and the groups of letters to part, and about ten seconds on a laptop.
SETTINGS = ("--preset=tiny", "--steps=1500", "--eval-every=50", "--snapshot-every=50", "--sample-tokens=120")
SMALLEST_FIRST = ("tinyshakespeare", "machado", "shakespeare", "machado-novels")


def at_hand() -> list[str]:
    """Return the corpora whose text is on this machine, the smallest first; the network is not used."""
    return [name for name in sorted(CORPORA, key=_rank) if _is_at_hand(name)]


def choices(language: str = "en") -> list[str]:
    """Return all corpora: those at hand first, among them those in the reader's language."""
    here, spoken = at_hand(), "Portuguese" if language == "pt" else "English"
    return sorted(CORPORA, key=lambda name: (name not in here, CORPORA[name].language != spoken, _rank(name)))


def default_corpus() -> str:
    """Return the smallest corpus at hand, or the one that is fetched by default."""
    return (at_hand() or [DEFAULT])[0]


def arguments(corpus: str) -> Sequence[str]:
    """Return the options of ``python -m trainer`` that train the demo run."""
    return [*SETTINGS, f"--corpus={corpus}", f"--run={NAME}"]


def _is_at_hand(name: str) -> bool:
    try:
        return locate_corpus(name) is not None
    except InputError:  # another text under its name, or no such folder: the training will say so
        return False


def _rank(name: str) -> int:
    return SMALLEST_FIRST.index(name) if name in SMALLEST_FIRST else len(SMALLEST_FIRST)
