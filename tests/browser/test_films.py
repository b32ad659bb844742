"""Films play in the page, and what is written beside them is shown as it is written."""

from __future__ import annotations

import json
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from data.runs import Run
from tests.browser.visit import Visit
from tests.commands import command

EVIL = '<img src="x" onerror="window.hit = 1"> **bold** [link](http://evil.example) $x^2$ :red[red]'


@pytest.fixture(scope="module")
def filmed(shelf: Path) -> Iterator[Run]:
    """A run with a film."""
    path = shelf / "filmed"
    shutil.copytree(shelf / "tiny", path)
    options = ["--what=position-similarity", "--size=640x360", "--seconds-per-snapshot=0.1", "--hold=0.3"]
    made = command("viz.video", f"--run={path.name}", *options, GPTLAB_RUNS=str(shelf))
    assert made.returncode == 0, made.stderr
    yield Run(path)
    shutil.rmtree(path)


def test_a_film_plays(guest: Visit, filmed: Run) -> None:
    guest.open("films", run=filmed.name)
    video = guest.page.locator("video")
    video.wait_for()
    guest.page.wait_for_function("document.querySelector('video').readyState >= 3")
    assert video.evaluate("v => [v.videoWidth, v.videoHeight]") == [640, 360]
    video.evaluate("v => v.play()")
    guest.page.wait_for_function(
        "document.querySelector('video').played.length && !document.querySelector('video').paused"
    )
    guest.shot("film")
    with guest.page.expect_download() as taken:
        guest.page.get_by_role("button", name="MP4").click()
    (film,) = (filmed.path / "films").glob("*.mp4")
    assert taken.value.suggested_filename == film.name
    assert Path(taken.value.path()).read_bytes() == film.read_bytes()


def test_names_and_texts_are_never_read_as_html_or_markdown(guest: Visit, own_run: Run, filmed: Run) -> None:
    name = '<img src=x onerror="hit=1">*a*.mp4'
    films = own_run.path / "films"
    films.mkdir()
    (film,) = (filmed.path / "films").glob("*.mp4")
    shutil.copy(film, films / name)
    said = {"options": {"what": "attention", "prompt": EVIL, "highlight": [EVIL]}, "alt_text": EVIL}
    (films / f"{name}.json").write_text(json.dumps(said))
    shutil.copy(film, films / "a_b_[x](y) <b>c.mp4")
    info = dict(Run(own_run.path).info)
    info["corpus"]["name"] = EVIL
    (own_run.path / "run.json").write_text(json.dumps(info))
    for page in ("films", "overview", "figures"):
        guest.open(page, run=own_run.name, prompt=EVIL)
        assert guest.page.evaluate("window.hit") is None
        assert guest.page.locator('img[src="x"]').count() == 0
        assert guest.page.locator('a[href*="evil"]').count() == 0
        if page == "films":
            expect(guest.page.get_by_text("<img", exact=False).first).to_be_visible()
            assert guest.page.locator("strong", has_text="bold").count() == 0


@pytest.mark.slow
def test_a_film_is_rendered_with_progress_and_can_be_cancelled(guest: Visit, own_run: Run) -> None:
    guest.open("films", run=own_run.name)
    guest.choose("Similarity of positions")
    guest.page.get_by_role("button", name="Render", exact=True).click()
    guest.page.get_by_test_id("stProgress").first.wait_for()
    guest.page.get_by_role("button", name="Cancel").click()
    expect(guest.page.get_by_text("Cancelled.")).to_be_visible(timeout=20_000)
    assert not [path for path in (own_run.path / "films").glob("*") if path.suffix == ".mp4"]


@pytest.mark.parametrize(("origin", "status"), [("http://evil.example", 403), (None, 101)])
def test_pages_of_other_sites_cannot_talk_to_the_server(address: str, origin: str | None, status: int) -> None:
    host = address.removeprefix("http://")
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        f"Origin: {origin or address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    with socket.create_connection(("127.0.0.1", int(host.split(":")[1])), timeout=30) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        assert line.recv(100).startswith(f"HTTP/1.1 {status} ".encode())


def test_pages_of_other_sites_cannot_read_what_it_serves(address: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(f"{address}/_stcore/health", headers={"Origin": "http://evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        opener.open(asked)
    with refused.value as answer:
        assert answer.headers.get("Access-Control-Allow-Origin") is None


def test_the_server_listens_on_this_machine_only(address: str) -> None:
    elsewhere = address.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(elsewhere)
