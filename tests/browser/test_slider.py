"""One slider over everything: its keys, its pointer, its play button, and the address that says where it stands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from data.runs import Run
from tests.browser.visit import Visit

STEPS = [0, 1, 2, 4, 8, 16, 20, 32, 40, 60]


def test_keys_move_it_and_the_address_follows(guest: Visit) -> None:
    guest.open("overview", run="tiny", step=8)
    assert guest.step() == 8
    for key, step in [
        ("ArrowRight", 16),
        ("ArrowLeft", 8),
        ("ArrowLeft", 4),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 60),
    ]:
        guest.page.keyboard.press(key)
        guest.settle(step=step)
    guest.address_says(run="tiny")  # the last step is where a link without a step leads
    guest.page.keyboard.press("ArrowLeft")
    guest.settle(step=40)
    guest.address_says(run="tiny", step="40")


def test_page_keys_move_ten_snapshots_where_the_slider_has_the_focus(guest: Visit) -> None:
    guest.page.set_viewport_size({"width": 1366, "height": 500})  # in which the page has to be scrolled
    guest.open("overview", run="tiny")
    guest.page.keyboard.press("PageDown")
    guest.page.wait_for_timeout(300)
    assert guest.step() == 60, "the page scrolls instead"
    guest.slider.focus()
    guest.page.keyboard.press("PageDown")
    guest.settle(step=0)
    guest.page.keyboard.press("PageUp")
    guest.settle(step=60)


def test_keys_that_belong_to_a_field_do_not_move_it(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", step=8)
    guest.page.get_by_label("Highlight", exact=True).click()
    guest.page.keyboard.type("a")
    guest.page.keyboard.press("ArrowLeft")
    guest.page.wait_for_timeout(300)
    assert guest.step() == 8


def test_it_says_step_loss_and_the_snapshots_beside_it(guest: Visit) -> None:
    guest.open("overview", run="tiny", step=8)
    expect(guest.player.locator(".readout .step")).to_have_text("step 8")
    expect(guest.player.locator(".readout .loss")).to_have_text(re.compile(r"val\. loss, sample \d\.\d{3}"))
    expect(guest.player.locator(".previous")).to_have_text("4")
    expect(guest.player.locator(".next")).to_have_text("16")
    assert guest.slider.get_attribute("aria-valuenow") == "8"
    guest.player.locator(".next").click()
    guest.settle(step=16)
    guest.page.keyboard.press("Home")
    expect(guest.player.locator(".previous")).to_be_disabled()


def test_a_press_on_the_track_goes_to_the_snapshot_there(guest: Visit) -> None:
    guest.open("overview", run="tiny")
    box = guest.slider.bounding_box()
    assert box
    guest.page.mouse.move(box["x"] + 14, box["y"] + 30)
    guest.page.mouse.down()
    guest.settle(step=0)
    guest.page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 30, steps=5)
    guest.page.mouse.up()
    guest.settle(step=60)


@pytest.mark.slow
def test_playing_begins_anew_at_the_end_and_can_be_stopped(guest: Visit) -> None:
    guest.open("overview", run="tiny")
    for pace in ("12/s", "24/s", "3/s"):
        guest.player.locator(".speed").click()
        expect(guest.player.locator(".speed")).to_have_text(pace)
    guest.player.get_by_label("Play").click()
    expect(guest.player.get_by_label("Pause")).to_be_visible()
    guest.page.keyboard.press("ArrowLeft")
    expect(guest.player.get_by_label("Play")).to_be_visible()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    guest.page.keyboard.press("Space")
    guest.settle(step=60)
    expect(guest.player.get_by_label("Play")).to_be_visible()


def test_logarithmic_or_linear_stays_in_the_address(guest: Visit) -> None:
    guest.open("overview", run="tiny", step=8)
    guest.player.get_by_label("Logarithmic or linear steps").click()
    guest.address_says(run="tiny", step="8", scale="linear")
    expect(guest.player.locator(".scale")).to_have_text("linear")
    guest.page.reload()
    guest.settle(step=8)
    expect(guest.player.locator(".scale")).to_have_text("linear")


def test_a_link_reproduces_the_view(guest: Visit) -> None:
    guest.open("embeddings", run="tiny")
    guest.choose("positions")
    guest.choose("PCA")
    guest.slider.focus()  # where an option has the focus, the keys are the options'
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    guest.address_says(run="tiny", what="positions", method="pca", step="0")
    before, link = guest.player.inner_text(), guest.page.url
    guest.page.goto("about:blank")
    guest.page.goto(link)
    guest.settle(step=0)
    assert guest.player.inner_text() == before


def test_other_pages_keep_run_and_step(guest: Visit) -> None:
    guest.open("overview", run="tiny", step=8)
    guest.step()
    guest.page.get_by_role("link", name="Attention").click()
    guest.settle(step=8)
    guest.address_says(run="tiny", step="8")
    guest.page.keyboard.press("ArrowRight")
    guest.settle(step=16)
    guest.address_says(run="tiny", step="16")
    guest.page.get_by_role("link", name="Overview").click()
    guest.settle(step=16)


@pytest.mark.slow
def test_other_pages_keep_the_run_and_what_is_asked_of_it(guest: Visit, own_run: Run) -> None:
    for run in ("tiny", own_run.name):  # whichever of them is the newest, which a page without a choice would show
        guest.open("attention", run=run, step=8)
        field(guest, "Prompt", "mo")
        guest.address_says(run=run, prompt="mo", step="8")
        guest.page.get_by_role("link", name="Generate").click()
        guest.settle(step=8)
        guest.address_says(run=run, prompt="mo", step="8")
        expect(guest.page.get_by_label("Prompt", exact=True)).to_have_value("mo")
        guest.page.get_by_role("link", name="Embeddings").click()
        guest.settle(step=8)
        field(guest, "Highlight", "a; b")
        guest.address_says(run=run, group="a;b", step="8")
        guest.page.get_by_role("link", name="Compare").click()
        guest.settle(step=8)
        expect(guest.page.get_by_label("Highlight", exact=True)).to_have_value("a; b")
        assert guest.query()["run"] == run


def field(guest: Visit, name: str, text: str) -> None:
    """Write into a field, and leave it."""
    guest.page.get_by_label(name, exact=True).fill(text)
    guest.page.get_by_label(name, exact=True).blur()
    guest.settle()


@pytest.mark.slow
def test_a_step_is_kept_though_the_page_is_left_before_the_server_hears_of_it(guest: Visit) -> None:
    guest.open("overview", run="tiny", step=8)
    guest.step()
    guest.page.keyboard.press("ArrowRight")
    guest.page.get_by_role("link", name="Embeddings").click()
    guest.settle(step=16)
    guest.address_says(run="tiny", step="16")
    guest.page.get_by_role("link", name="Films").click()  # where there is no slider
    guest.settle()
    guest.page.get_by_role("link", name="Overview").click()
    guest.settle(step=16)


def test_back_leads_to_the_view_before_and_not_to_the_step_before(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca", step=8)
    guest.step()
    guest.choose("positions")
    guest.address_says(run="tiny", what="positions", method="pca", step="8")
    guest.slider.focus()
    for step in (16, 20, 32):
        guest.page.keyboard.press("ArrowRight")
        guest.settle(step=step)
        guest.address_says(run="tiny", what="positions", method="pca", step=str(step))
    guest.page.go_back()
    guest.address_says(run="tiny", method="pca", step="8")
    guest.settle(step=8)
    expect(guest.page.get_by_role("radio", name="tokens", checked=True)).to_be_visible()
    guest.page.go_forward()
    guest.settle(step=32)
    expect(guest.page.get_by_role("radio", name="positions", checked=True)).to_be_visible()


@pytest.mark.slow
def test_back_leads_from_page_to_page(guest: Visit) -> None:
    guest.open("", run="tiny")
    for name in ("Embeddings", "Attention", "Films"):
        guest.page.get_by_role("link", name=name).click()
        guest.page.wait_for_function(f"location.pathname === '/{name.lower()}' && location.search.includes('run=tiny')")
        guest.settle()
    for path in ("/attention", "/embeddings", "/"):
        guest.page.go_back()
        guest.page.wait_for_function(f"location.pathname === '{path}' && location.search.includes('run=tiny')")
        guest.settle()


def test_it_rests_where_motion_is_not_wanted(guest: Visit) -> None:
    guest.page.emulate_media(reduced_motion="reduce")
    guest.open("overview", run="tiny", step=8)
    guest.step()
    guest.page.keyboard.press("ArrowRight")
    guest.next_frame()
    assert guest.step() == 16, "it is there with the next picture"


@pytest.mark.parametrize("step", [13, 10**11])
def test_a_step_without_a_snapshot_leads_to_the_nearest(guest: Visit, step: int) -> None:
    guest.open("overview", run="tiny", step=step)
    assert guest.step() == min(STEPS, key=lambda there: abs(there - step))
    expect(guest.page.get_by_text(f"There is no snapshot of step {step}")).to_be_visible()
