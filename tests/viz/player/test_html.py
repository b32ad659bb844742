"""The self-contained page, in a real browser: it plays without a network, in light and dark, as a file and in a notebook's frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from probes.groups.naming import Group
from tests.browser.visit import FLAGS, chromium
from tests.viz.player.scenes import losses, projection
from viz.drawing.theme import THEMES
from viz.films.embedding_film import ProjectionView
from viz.player.html import frame, page
from viz.player.projection_scene import scene_of_views

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LOCAL = ("file:", "about:", "data:", "blob:")


def document(theme: str = "light", axes: int = 2, language: str = "en") -> str:
    view = ProjectionView(projection(axes=axes), [Group("</script>", (0, 1))])
    scene = scene_of_views([view], theme=THEMES[theme], losses={"": losses()}, language=language)
    return page(scene, title="Tokens <b>& more</b>", description="</title> & so on")


def test_texts_are_escaped_and_nothing_is_loaded() -> None:
    html = document()
    assert "<title>Tokens &lt;b&gt;&amp; more&lt;/b&gt;</title>" in html
    assert html.count("</script>") == 2
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert " src=" not in html


def test_a_frame_holds_the_page_itself() -> None:
    html = frame(document(), height_px=500)
    assert html.startswith("<iframe srcdoc=")
    assert "height: 500px" in html
    assert html.count('"') == 6  # those of the page are escaped


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = chromium()
    if found is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as player:
        window = player.chromium.launch(executable_path=found, args=list(FLAGS))
        yield window
        window.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab that fails the test if its console reports an error, or if it asks for anything that is not on this machine."""
    tab, complaints = browser.new_page(viewport={"width": 1280, "height": 800}), list[str]()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("request", lambda request: None if request.url.startswith(LOCAL) else complaints.append(request.url))
    yield tab
    tab.close()
    assert complaints == []


def open_file(tab: Page, folder: Path, html: str) -> None:
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    tab.goto(path.as_uri())
    tab.locator('.player[data-step="100"]').wait_for()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("axes", [2, 3])
def test_keys_and_pointer_move_the_points(tab: Page, tmp_path: Path, theme: str, axes: int) -> None:
    open_file(tab, tmp_path, document(theme, axes))
    area, slider = tab.locator(".scatter .area"), tab.get_by_role("slider")
    last = area.evaluate("area => area.places()")
    tab.keyboard.press("Home")  # the focus need not be on the slider
    tab.locator('.player[data-step="0"]').wait_for()
    assert slider.get_attribute("aria-valuenow") == "0"
    assert tab.locator(".readout").inner_text().split("\n") == ["step 0", "val. loss, sample 4.000"]
    first = area.evaluate("area => area.places()")
    assert max(abs(a[1] - b[1]) + abs(a[2] - b[2]) for a, b in zip(first, last, strict=True)) > 20
    box = slider.bounding_box()
    assert box is not None
    tab.mouse.click(box["x"] + box["width"] - 16, box["y"] + 30)
    tab.locator('.player[data-step="100"]').wait_for()
    assert area.evaluate("area => area.places()") == last


def test_the_play_button_plays_to_the_end(tab: Page, tmp_path: Path) -> None:
    open_file(tab, tmp_path, document())
    tab.keyboard.press("Home")
    tab.locator('.player[data-step="0"]').wait_for()
    tab.get_by_label("Play").click()
    tab.locator('.player[data-step="100"]').wait_for()
    assert tab.get_by_label("Play").is_visible()


def test_the_panels_fill_the_window_and_nothing_waits_for_a_server(tab: Page, tmp_path: Path) -> None:
    open_file(tab, tmp_path, document(language="pt"))
    box = tab.locator(".scatter").bounding_box()
    assert box is not None
    assert 740 < box["y"] + box["height"] <= 800
    assert box["width"] > 800
    assert tab.locator(".lasso").is_hidden()  # nobody would highlight its items
    assert tab.locator(".readout .step").inner_text() == "passo 100"
    tab.mouse.click(box["x"] + 200, box["y"] + 200)
    assert tab.url.endswith("page.html")


def test_a_notebooks_frame_plays_it(tab: Page) -> None:
    tab.set_content(f"<h1>A notebook</h1>{frame(document())}")
    inner = tab.frame_locator("iframe")
    inner.locator('.player[data-step="100"]').wait_for()
    inner.get_by_role("slider").focus()
    tab.keyboard.press("ArrowLeft")
    inner.locator('.player[data-step="10"]').wait_for()
