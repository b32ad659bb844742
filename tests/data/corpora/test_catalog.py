from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from data.corpora import catalog
from data.errors import InputError

SHARED = Path(__file__).parents[4] / "shared" / "corpora"
TEXT = "Era uma vez um apólogo.\n"
RAW = TEXT.encode()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own cache and folders."""
    monkeypatch.setenv("GPTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GPTLAB_DATA", raising=False)
    return tmp_path / "cache"


def know(monkeypatch: pytest.MonkeyPatch, sha256: str | None, *addresses: str) -> None:
    """Let the corpus ``story`` be known, with the text TEXT, unless another hash is given."""
    source = catalog.CorpusSource("Portuguese", "a test", "um_conto.txt", len(TEXT), len(set(TEXT)), sha256, addresses)
    monkeypatch.setitem(catalog.CORPORA, "story", source)


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> str:
    know(monkeypatch, hashlib.sha256(RAW).hexdigest(), "http://localhost:9/story")
    return "story"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the folder ``tmp_path / "site"`` on this machine."""

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "site").mkdir()
    monkeypatch.setenv("NO_PROXY", "localhost")
    with ThreadingHTTPServer(("localhost", 0), partial(Silent, directory=str(tmp_path / "site"))) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://localhost:{http.server_port}"
        http.shutdown()
        thread.join()


# --- A file of the user's -------------------------------------------------------------------------------------------


def test_a_file_keeps_its_words_and_loses_its_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbfum\r\ndois\rtr\xc3\xaas\n"
    path = tmp_path / "contos.txt"
    path.write_bytes(raw)
    corpus = catalog.load_corpus(str(path))
    assert corpus.text == "um\ndois\ntrês\n"
    assert (corpus.name, corpus.origin) == ("contos", str(path))
    assert corpus.sha256 == hashlib.sha256(raw).hexdigest()
    assert corpus.characters == 13
    assert corpus.symbols == "\ndimorstuê"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("coração".encode("latin-1"), r"not UTF-8 \(byte 0xe7 at offset 4\)"),
        ("coração".encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as refusal:
        catalog.load_corpus(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_folder_a_missing_file_and_an_unknown_name_are_distinguished(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        catalog.load_corpus(tmp_path)
    with pytest.raises(InputError, match=r"there is no file .*nowhere\.txt"):
        catalog.load_corpus("nowhere.txt")
    with pytest.raises(InputError, match=r"give the path of a UTF-8 text file$"):
        catalog.load_corpus(Path("machado"))  # names are not for those who ask for a file
    with pytest.raises(
        InputError, match="unknown corpus 'machdo': known are shakespeare, training-plays, tinyshakespeare, machado,"
    ):
        catalog.load_corpus("machdo")
    with pytest.raises(InputError, match="there is no file"):
        catalog.load_corpus("x" * 5000 + ".txt")


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="this system has no /dev/null")
def test_a_device_is_no_text() -> None:
    with pytest.raises(InputError, match="not a regular file"):
        catalog.load_corpus("/dev/null")


def test_a_name_wins_over_a_file_of_the_same_name(tmp_path: Path, story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("story").write_text("another")
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "story.txt").write_bytes(RAW)
    assert catalog.load_corpus(story, folder).text == TEXT
    assert catalog.load_corpus("./story").text == "another"
    assert catalog.load_corpus(Path("story")).text == "another"


# --- Where a named corpus is looked for -----------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["um_conto.txt", "story.txt"])
def test_the_named_folder_is_searched_first(tmp_path: Path, cache: Path, story: str, file: str) -> None:
    assert catalog.locate_corpus(story, tmp_path) is None
    cache.mkdir()
    (cache / "story.txt").write_bytes(RAW)
    assert catalog.locate_corpus(story, tmp_path) == cache / "story.txt"
    (tmp_path / file).write_bytes(RAW)
    assert catalog.locate_corpus(story, tmp_path) == tmp_path / file
    corpus = catalog.load_corpus(story, tmp_path)
    assert (corpus.name, corpus.language, corpus.text, corpus.origin) == ("story", "Portuguese", TEXT, "a test")


def test_the_variable_names_the_folder_and_the_argument_overrules_it(
    tmp_path: Path, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("of_variable", "of_argument"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "story.txt").write_bytes(RAW)
    monkeypatch.setenv("GPTLAB_DATA", str(tmp_path / "of_variable"))
    assert catalog.fetch_corpus(story) == tmp_path / "of_variable" / "story.txt"
    assert catalog.fetch_corpus(story, tmp_path / "of_argument") == tmp_path / "of_argument" / "story.txt"
    monkeypatch.setenv("GPTLAB_DATA", str(tmp_path / "gone"))
    with pytest.raises(InputError, match="gone is not a folder: GPTLAB_DATA"):
        catalog.locate_corpus(story)


def test_another_text_under_the_name_is_refused(tmp_path: Path, story: str) -> None:
    (tmp_path / "story.txt").write_bytes(RAW + b"P.S.")
    with pytest.raises(
        InputError, match=r"story.txt is not the text known as story \(sha256 [0-9a-f]{12}\.\.\., expected"
    ):
        catalog.load_corpus(story, tmp_path)


def test_a_text_without_a_known_hash_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, None)
    (tmp_path / "story.txt").write_text("whatever")
    assert catalog.load_corpus("story", tmp_path).text == "whatever"


def test_a_cache_that_cannot_be_made_is_reported(tmp_path: Path, cache: Path, story: str) -> None:
    cache.write_text("a file in the way")
    with pytest.raises(InputError, match=r"cache cannot be made .*: name another with the variable GPTLAB_CACHE"):
        catalog.fetch_corpus(story)


# --- Fetching -------------------------------------------------------------------------------------------------------


def test_what_is_fetched_is_kept(tmp_path: Path, cache: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, hashlib.sha256(RAW).hexdigest(), f"{server}/gone.txt", f"{server}/story.txt")
    served = tmp_path / "site" / "story.txt"
    served.write_bytes(RAW)
    assert catalog.load_corpus("story").text == TEXT
    served.unlink()
    assert catalog.load_corpus("story").text == TEXT
    assert [path.name for path in cache.iterdir()] == ["story.txt"]


def test_a_damaged_cache_is_fetched_again(
    tmp_path: Path, cache: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, hashlib.sha256(RAW).hexdigest(), f"{server}/story.txt")
    (tmp_path / "site" / "story.txt").write_bytes(RAW)
    cache.mkdir()
    (cache / "story.txt").write_bytes(RAW[:-3])
    assert catalog.locate_corpus("story") is None
    assert catalog.load_corpus("story").text == TEXT


def test_what_cannot_be_fetched_names_the_addresses_and_leaves_nothing(
    tmp_path: Path, cache: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(
        monkeypatch,
        hashlib.sha256(RAW).hexdigest(),
        f"{server}/gone.txt",
        f"{server}/other.txt",
        "http://localhost:9/story.txt",
    )
    (tmp_path / "site" / "other.txt").write_bytes(RAW + b"P.S.")
    with pytest.raises(InputError) as refusal:
        catalog.load_corpus("story")
    message = str(refusal.value)
    assert f"{server}/gone.txt (status 404)" in message
    assert f"{server}/other.txt (its sha256 is another)" in message
    assert "http://localhost:9/story.txt (ConnectionError)" in message
    assert "put the file by hand as um_conto.txt into a folder and name that in GPTLAB_DATA" in message
    assert "\n" not in message
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="there is no shared folder beside the repository")
@pytest.mark.parametrize("name", ["machado", "tinyshakespeare"])
def test_the_named_texts_are_those_that_are_pinned(name: str) -> None:
    corpus = catalog.load_corpus(name, SHARED)
    source = catalog.CORPORA[name]
    assert (corpus.characters, len(corpus.symbols), corpus.sha256) == (source.characters, source.symbols, source.sha256)
