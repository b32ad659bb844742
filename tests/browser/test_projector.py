"""Projector mode fills the screen with the panels, and type grows with everything that is drawn."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.visit import Visit

IS_FULL = "document.fullscreenElement !== null"


def type_size(guest: Visit) -> float:
    """Measure how high the readout's text is on the screen."""
    box = guest.player.locator(".readout .step").bounding_box()
    assert box
    return float(box["height"])


def test_f_fills_the_screen_and_f_leaves_it(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca", step=8)
    guest.step()
    before = type_size(guest)
    guest.page.keyboard.press("f")
    guest.page.wait_for_function(IS_FULL)
    guest.shot("projector")
    assert type_size(guest) > 1.15 * before
    box = guest.player.bounding_box()
    assert box
    assert (box["x"], box["y"], box["width"]) == (0, 0, 1366)
    expect(guest.player.locator(".projector-bar")).to_contain_text("GPTLab")
    expect(guest.player.locator(".projector-bar")).to_contain_text("tiny")
    expect(guest.player.locator(".projector-bar .step")).to_have_text("step 8")
    guest.page.keyboard.press("ArrowRight")
    guest.settle(step=16)
    expect(guest.player.locator(".projector-bar .step")).to_have_text("step 16")
    guest.page.keyboard.press("f")
    guest.page.wait_for_function(f"!({IS_FULL})")
    assert type_size(guest) == before


def test_what_is_drawn_grows_too_and_the_pointer_still_finds_it(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    guest.step()
    guest.page.keyboard.press("f")
    guest.page.wait_for_function(IS_FULL)
    guest.page.wait_for_timeout(300)
    area = guest.player.locator(".scatter .area")
    ratio = area.locator("canvas").evaluate("canvas => canvas.width / canvas.getBoundingClientRect().width")
    assert 0.97 < ratio / guest.page.evaluate("devicePixelRatio") < 1.03, "as sharp as the screen"
    _, x, y = area.evaluate("area => area.places().find(([, x, y]) => x > 60 && y > 60)")
    guest.page.mouse.move(x, y)
    expect(guest.player.locator(".scatter .tooltip .name")).to_be_visible()
    track = guest.slider.bounding_box()
    assert track
    guest.page.mouse.click(track["x"] + 16, track["y"] + 30)
    guest.settle(step=0)


def test_the_cursor_hides_while_it_rests(guest: Visit) -> None:
    guest.open("overview", run="tiny")
    guest.step()
    guest.page.get_by_role("button", name="Fill the screen").click()
    guest.page.wait_for_function(IS_FULL)
    guest.page.mouse.move(500, 400)
    cursor = "element => getComputedStyle(element).cursor"
    assert guest.player.evaluate(cursor) != "none"
    guest.until(lambda: guest.player.evaluate(cursor) == "none")
    guest.page.mouse.move(520, 420)
    guest.until(lambda: guest.player.evaluate(cursor) != "none")


def test_where_the_full_screen_is_refused_the_panels_cover_the_window(guest: Visit) -> None:
    guest.open("overview", run="tiny")
    guest.step()
    guest.page.evaluate("() => { Element.prototype.requestFullscreen = () => Promise.reject(new Error('refused')); }")
    guest.page.keyboard.press("f")
    guest.until(lambda: (guest.player.bounding_box() or {}).get("width") == 1366)
    over = guest.page.evaluate("document.elementFromPoint(700, 20).closest('[data-testid=\"stHeader\"]')")
    assert over is None, "nothing of the page lies over it"
    guest.page.keyboard.press("Escape")
    guest.until(lambda: (guest.player.bounding_box() or {}).get("width", 0) < 1366)


def test_an_f_in_a_field_is_a_letter(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca")
    guest.page.get_by_label("Highlight", exact=True).click()
    guest.page.keyboard.type("f")
    expect(guest.page.get_by_label("Highlight", exact=True)).to_have_value("f")
    assert not guest.page.evaluate(IS_FULL)
