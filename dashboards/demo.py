"""The demo run, a small run for trying things out: its name, settings and corpus."""

from __future__ import annotations

from collections.abc import Sequence

from data.corpora.catalog import CORPORA, DEFAULT, locate_corpus
from data.errors import InputError

NAME = "demo-tiny"
# Long enough for words to appear and for groups of letters to separate; about ten seconds on a laptop.
SETTINGS = ("--preset=tiny", "--steps=1500", "--eval-every=50", "--snapshot-every=50", "--sample-tokens=120")
SMALLEST_FIRST = ("tinyshakespeare", "machado", "shakespeare", "machado-novels")


def local_corpora() -> list[str]:
    """List the corpora whose text is on this machine, smallest first, without using the network."""
    return [name for name in sorted(CORPORA, key=_rank) if _is_local(name)]


def choices(language: str = "en") -> list[str]:
    """List all corpora: local ones first, and among them those in the reader's language first."""
    local, wanted = local_corpora(), "Portuguese" if language == "pt" else "English"
    return sorted(CORPORA, key=lambda name: (name not in local, CORPORA[name].language != wanted, _rank(name)))


def default_corpus() -> str:
    """Return the smallest local corpus, or the one that is fetched by default."""
    return (local_corpora() or [DEFAULT])[0]


def arguments(corpus: str) -> Sequence[str]:
    """Build the options of ``python -m trainer`` that train the demo run."""
    return [*SETTINGS, f"--corpus={corpus}", f"--run={NAME}"]


def _is_local(name: str) -> bool:
    try:
        return locate_corpus(name) is not None
    except InputError:  # another text has its name, or there is no such folder; the training reports it
        return False


def _rank(name: str) -> int:
    return SMALLEST_FIRST.index(name) if name in SMALLEST_FIRST else len(SMALLEST_FIRST)
