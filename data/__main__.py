"""``python -m data``: list the named corpora and fetch one; verify, repair, prune and measure runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg, subcommand

from data.commands import run_command
from data.corpora import catalog
from data.errors import list_names
from data.files.remote_files import is_folder
from data.progress import progress_bar
from data.runs import Run, check_run_name, open_run, runs_folder
from data.upkeep.pruning import plan_pruning, prune
from data.upkeep.repair import repair
from data.upkeep.sizes import part_sizes
from data.upkeep.verification import listed_snapshots, verify

if TYPE_CHECKING:
    from rich.table import Table

PROG = "python -m data"
EXIT_FOUND = 1
"""The exit status of `verify` if something is wrong."""

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


RunName = Annotated[Positional[str | None], arg(metavar="RUN", help="The name of a run; the newest if not given.")]


@dataclass(frozen=True)
class Verify:
    """Read every file of a run and report all that is wrong; exit status 1 if anything is."""

    run: RunName = None


@dataclass(frozen=True)
class Repair:
    """Move what cannot be trusted in a run to its folder quarantine/; nothing is deleted."""

    run: RunName = None
    accept_run_json: Annotated[bool, FlagCreatePairsOff] = False
    """Take run.json as it is, after you changed it on purpose."""


@dataclass(frozen=True)
class Prune:
    """Thin the snapshots of a run: delete those that no rule keeps."""

    run: RunName = None
    keep: str = "every:1000,last:5"
    """Rules, separated by commas: every:1000, first:5, last:5. The last snapshot is always kept."""
    dry_run: Annotated[bool, FlagCreatePairsOff] = False
    """Only print what would be deleted."""


@dataclass(frozen=True)
class Sizes:
    """Show what takes the room in a run."""

    run: RunName = None


DataCommand = List | Fetch | Verify | Repair | Prune | Annotated[Sizes, subcommand("size")]


def main(command: DataCommand) -> None:
    """Run the command."""
    match command:
        case List(corpus_dir):
            _list(corpus_dir)
        case Fetch(name, corpus_dir):
            _fetch(name, corpus_dir)
        case Verify(name):
            _verify(_folder_of(name))
        case Repair(name, accept_run_json):
            done = repair(_folder_of(name), accept_run_json=accept_run_json)
            print("\n".join(done or ["nothing is wrong"]))
        case Prune(name, keep, dry_run):
            _prune(open_run(name), keep, dry_run=dry_run)
        case Sizes(name):
            _size(_folder_of(name))


def _folder_of(name: str | None) -> Run:
    """Find a run that need not be readable."""
    if name is None:
        return open_run()
    path = runs_folder() / check_run_name(name)
    if not is_folder(path):
        return open_run(name)  # raises
    return Run(path)


def _verify(run: Run) -> None:
    n_snapshots = len(listed_snapshots(run))
    started = time.perf_counter()
    with progress_bar("verifying", n_snapshots, "snapshot") as update:
        found = verify(run, lambda done: update(done, None))
    seconds = time.perf_counter() - started
    for finding in found.findings:
        print(finding)
    read = f"{found.n_snapshots:,} snapshots, {found.n_bytes / 1e6:,.1f} MB in {seconds:.1f} s"
    if not found.findings:
        print(f"run {run.name}: nothing is wrong ({read})")
        return
    print(f"run {run.name}: {len(found.findings)} findings ({read}); move them aside with  {PROG} repair {run.name}")
    raise SystemExit(EXIT_FOUND)


def _prune(run: Run, keep: str, *, dry_run: bool) -> None:
    pruning = plan_pruning(run, keep) if dry_run else prune(run, keep)
    verb = "would be deleted" if dry_run else "deleted"
    print(f"run {run.name}: {len(pruning.removed):,} snapshots {verb}, {pruning.n_bytes / 1e6:,.1f} MB")
    print(f"kept: {list_names(pruning.kept, 20)}")


def _size(run: Run) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("part", no_wrap=True)
    for heading in ("files", "MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    sizes = part_sizes(run)
    for size in sizes:
        table.add_row(size.part, f"{size.n_files:,}", f"{size.n_bytes / 1e6:,.1f}")
    table.add_row("all", f"{sum(s.n_files for s in sizes):,}", f"{sum(s.n_bytes for s in sizes) / 1e6:,.1f}")
    Console(highlight=False).print(table)


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
    run_command(main, DataCommand, prog=PROG, description=__doc__)
