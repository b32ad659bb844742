"""``python -m data``: list the named corpora, and fetch one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from data.commands import run_command
from data.corpora import catalog

if TYPE_CHECKING:
    from rich.table import Table

_CORPUS_DIR = "A folder to look in first; otherwise the one that the variable GPTLAB_DATA names."
CorpusDir = Annotated[Path | None, arg(metavar="DIR", help=_CORPUS_DIR)]


@dataclass(frozen=True)
class List:
    """List the named corpora: language, size, origin, and whether and where each is on this machine."""

    corpus_dir: CorpusDir = None


@dataclass(frozen=True)
class Fetch:
    """Fetch a corpus into the cache, check it, and print its path."""

    name: Annotated[Positional[str], arg(metavar="NAME")]
    """The name of a corpus, as `list` shows it."""
    corpus_dir: CorpusDir = None


def main(command: List | Fetch) -> None:
    """Run the command."""
    if isinstance(command, List):
        _list(command.corpus_dir)
    else:
        _fetch(command.name, command.corpus_dir)


def _list(corpus_dir: Path | None) -> None:
    from rich.console import Console

    found = {name: _find(name, corpus_dir) for name in catalog.CORPORA}
    # A pipe has no width that lines have to fit.
    console = Console(highlight=False) if Console().is_terminal else Console(highlight=False, width=160)
    console.print(_table(found))
    for name, place in found.items():
        if place:
            print(f"{name}: {place}")


def _fetch(name: str, corpus_dir: Path | None) -> None:
    from rich.console import Console

    with Console(stderr=True).status(f"fetching {name}"):
        path = catalog.fetch_corpus(name, corpus_dir)
        corpus = catalog.load_corpus(name, corpus_dir)
    pinned = "as pinned" if catalog.CORPORA[name].sha256 else "no hash is known to check it by"
    print(f"{name}: {corpus.characters:,} characters, {len(corpus.symbols)} symbols")
    print(f"sha256 {corpus.sha256} ({pinned})")
    print(path)


def _find(name: str, corpus_dir: Path | None) -> Path | catalog.OtherTextError | None:
    try:
        return catalog.locate_corpus(name, corpus_dir)
    except catalog.OtherTextError as other:
        return other


def _table(found: dict[str, Path | catalog.OtherTextError | None]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("name", "language"):
        table.add_column(heading, no_wrap=True)
    for heading in ("characters", "symbols"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("from")
    table.add_column("here", no_wrap=True)
    for name, source in catalog.CORPORA.items():
        size = (f"{source.characters:,}", "?" if source.symbols is None else str(source.symbols))
        here = "no" if found[name] is None else "yes" if isinstance(found[name], Path) else "another text"
        table.add_row(name, source.language, *size, source.origin, here)
    return table


if __name__ == "__main__":
    run_command(main, List | Fetch, prog="python -m data", description=__doc__)
