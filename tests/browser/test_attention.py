"""Attention in a real browser: maps answer the pointer and the slider, and a click makes one large."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

from data.runs import Run
from probes import heads
from probes.groups.symbols import display
from probes.models.observation import observe
from tests.browser.visit import Visit
from trainer.loading import load_model

PROMPT = "bagulha"


@pytest.fixture
def reader(guest: Visit) -> Visit:
    guest.open("attention", run="tiny", prompt=PROMPT)
    guest.player.locator('[data-panel="scores"] canvas').last.wait_for()  # the heads are scored in the background
    guest.settle()
    return guest


def place_in_map(guest: Visit, layer: int, head: int) -> tuple[float, float]:
    """Return a place in a map where there is a weight; what lies where is asked of the tip."""
    box = guest.player.locator('[data-panel="maps"] canvas').last.bounding_box()
    assert box is not None
    for y in range(int(box["height"]) - 24, 0, -30):
        for x in range(60, int(box["width"]), 30):
            guest.page.mouse.move(box["x"] + x, box["y"] + y)
            guest.next_frame()
            tip = guest.player.locator('[data-panel="maps"] .tooltip')
            if tip.is_visible() and re.match(rf"weight (.|\n)*layer {layer}, head {head}", tip.inner_text()):
                return box["x"] + x, box["y"] + y
    raise AssertionError(f"no map of layer {layer} head {head} was found under the pointer")


def picture(guest: Visit, panel: str) -> str:
    """Return a panel's pixels."""
    found: str = guest.player.locator(f'[data-panel="{panel}"] canvas').last.evaluate("c => c.toDataURL()")
    return found


def rows(guest: Visit, panel: str) -> list[str]:
    """Return the rows of a panel from the top, as a screen reader would read them."""
    found: list[str] = guest.player.locator(f'[data-panel="{panel}"] li').evaluate_all(
        """rows => rows
          .map(row => [row.getBoundingClientRect().top, [...row.querySelectorAll('span, b')].map(part => part.textContent).join(' ')])
          .sort(([a], [b]) => a - b).map(([, text]) => text)"""
    )
    return found


def shown(guest: Visit, panel: str) -> object:
    return rows(guest, panel) if panel in ("ranking", "next") else picture(guest, panel)


def test_the_slider_repaints_maps_timeline_and_bars(reader: Visit, shelf: Path) -> None:
    before = {panel: shown(reader, panel) for panel in ("maps", "scores", "ranking", "next")}
    reader.page.keyboard.press("Home")
    reader.settle(step=0)
    for panel, content in before.items():
        if panel != "ranking":  # of a tiny model, its numbers of two digits may be the same
            assert shown(reader, panel) != content, panel
    ranked = [float(row.rsplit(" ", 1)[1]) for row in rows(reader, "ranking")]
    expected = heads(Run(shelf / "tiny"))["previous_token"].sel(step=0).values.ravel()
    assert ranked == pytest.approx(sorted(expected, reverse=True), abs=0.0051)
    reader.page.keyboard.press("End")
    reader.settle(step=60)
    assert {panel: shown(reader, panel) for panel in before} == before
    reader.shot("attention")


def test_the_pointer_tells_a_weight_and_a_click_makes_its_map_large(reader: Visit) -> None:
    x, y = place_in_map(reader, 1, 0)
    tip = reader.player.locator('[data-panel="maps"] .tooltip')
    assert re.search(r"weight [01]\S*\nfrom “.” \(\d\) to “.” \(\d\)\nlayer 1, head 0", tip.inner_text())
    reader.page.mouse.click(x, y)
    reader.player.get_by_role("button", name="All heads").wait_for()
    reader.page.wait_for_function("new URLSearchParams(location.search).get('layer') === '1'")
    reader.page.wait_for_function("new URLSearchParams(location.search).get('head') === '0'")
    reader.settle()
    reader.shot("attention-one-head")
    reader.player.get_by_role("button", name="All heads").click()
    reader.page.wait_for_function("!new URLSearchParams(location.search).has('layer')")
    expect(reader.player.get_by_role("button", name="All heads")).to_be_hidden()


def test_the_list_of_heads_chooses_without_a_mouse(reader: Visit) -> None:
    reader.player.get_by_role("combobox").select_option("layer 0, head 1")
    reader.page.wait_for_function("new URLSearchParams(location.search).get('head') === '1'")
    expect(reader.player.get_by_role("button", name="All heads")).to_be_visible()


def test_a_link_to_a_head_and_step_reproduces_the_picture(reader: Visit) -> None:
    reader.player.get_by_role("combobox").select_option("layer 0, head 1")
    reader.page.keyboard.press("Escape")
    reader.page.evaluate("document.activeElement.blur()")
    reader.player.get_by_role("slider").focus()
    reader.page.keyboard.press("ArrowLeft")
    reader.settle(step=40)
    reader.page.wait_for_function("new URLSearchParams(location.search).get('step') === '40'")
    reader.page.mouse.move(5, 5)
    before = picture(reader, "maps")
    reader.page.goto(reader.page.url)
    reader.settle(step=40)
    reader.until(lambda: picture(reader, "maps") == before)


def test_a_click_in_the_timeline_goes_to_its_step_and_head(reader: Visit) -> None:
    cells = reader.player.locator('[data-panel="scores"] canvas').last
    box = cells.bounding_box()
    assert box is not None
    reader.page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + box["height"] * 0.1)
    reader.page.wait_for_function("new URLSearchParams(location.search).has('step')")
    assert 0 < reader.step() < 60
    reader.page.wait_for_function("new URLSearchParams(location.search).get('layer') === '0'")
    expect(reader.player.get_by_role("button", name="All heads")).to_be_visible()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_the_page_fills_the_window_in_both_themes(window, theme: str, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    with window(size=size, theme=theme) as guest:
        guest.open("attention", run="tiny", prompt=PROMPT, lang="pt")
        guest.player.locator('[data-panel="scores"] canvas').last.wait_for()
        guest.shot(f"attention-{theme}-{size[0]}")
        panels = guest.player.locator(".panels").bounding_box()
        assert panels is not None
        assert panels["y"] + panels["height"] <= size[1]
        assert panels["x"] + panels["width"] <= size[0]


@pytest.mark.slow
def test_back_shows_the_head_that_the_address_names(reader: Visit) -> None:
    chosen, back = reader.player.get_by_role("combobox"), reader.player.get_by_role("button", name="All heads")
    for head in ("layer 0, head 1", "layer 1, head 0"):
        chosen.select_option(head)
        layer, number = head[6], head[-1]
        reader.page.wait_for_function(f"location.search.includes('layer={layer}&head={number}')")
        reader.settle()
    reader.page.go_back()
    expect(chosen.locator("option:checked")).to_have_text("layer 0, head 1")
    reader.page.go_back()
    expect(back).to_be_hidden()
    reader.page.go_forward()
    expect(chosen.locator("option:checked")).to_have_text("layer 0, head 1")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("step", [0, 1, 8, 20, 60])
def test_the_next_tokens_are_the_largest_of_the_softmax_of_that_step(reader: Visit, shelf: Path, step: int) -> None:
    reader.open("attention", run="tiny", prompt=PROMPT, step=step)
    reader.settle(step=step)
    run = Run(shelf / "tiny")
    with torch.no_grad():
        ids = torch.from_numpy(run.tokenizer.encode(PROMPT))[None]
        expected = observe(load_model(run, step), ids).logits[0, -1].softmax(-1)
    found = rows(reader, "next")
    *leaders, others = found
    order = expected.argsort(descending=True)[: len(leaders)]
    assert [row.rsplit(" ", 1)[0] for row in leaders] == [display(run.tokenizer.labels[i]) for i in order]
    for row, i in zip(leaders, order, strict=True):
        text, value = row.rsplit(" ", 1)[1], float(expected[i])
        assert float(text.replace("<", "")) == pytest.approx(max(value, 0.01), abs=0.0051), row
        assert text.startswith("<") == (value < 0.01), row
    rest = float(1 - expected[order].sum())
    assert float(others.rsplit(" ", 1)[1].replace("<", "")) == pytest.approx(rest, abs=0.0101)


def test_a_head_of_the_ranking_is_chosen_by_a_click(reader: Visit) -> None:
    first = reader.player.locator('[data-panel="ranking"] li button').first
    name = first.locator("span").inner_text()
    layer, head = re.fullmatch(r"1\. layer (\d), head (\d)", name).groups()  # type: ignore[union-attr]
    values = [float(row.rsplit(" ", 1)[1]) for row in rows(reader, "ranking")]
    assert values == sorted(values, reverse=True)
    first.click()
    reader.page.wait_for_function(f"location.search.includes('layer={layer}&head={head}')")
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(reader.player.get_by_role("combobox").first.locator("option:checked")).to_have_text(
        f"layer {layer}, head {head}"
    )


def test_one_head_is_shown_as_words_with_lines_and_a_word_is_fixed(reader: Visit) -> None:
    reader.player.get_by_role("combobox").select_option("layer 0, head 1")
    reader.player.get_by_role("button", name="Words").click()
    reader.page.wait_for_function("location.search.includes('picture=words')")
    reader.settle()
    every = picture(reader, "maps")
    reader.player.get_by_role("combobox").last.select_option("from “a” (6)")
    reader.page.wait_for_function("location.search.includes('query=6')")
    reader.settle()
    one = picture(reader, "maps")
    assert one != every
    reader.shot("attention-words")
    reader.page.goto(reader.page.url)
    reader.settle()
    reader.until(lambda: picture(reader, "maps") == one)
    # A click on the word that is fixed releases it; the pointer alone shows the lines of another.
    box = reader.player.locator('[data-panel="maps"] canvas').last.bounding_box()
    assert box is not None
    reader.player.get_by_role("combobox").last.select_option("all words")
    reader.page.wait_for_function("!location.search.includes('query=')")
    reader.page.mouse.move(box["x"] + 60, box["y"] + 80)
    reader.next_frame()
    assert picture(reader, "maps") != every
    reader.player.get_by_role("button", name="Map", exact=True).click()
    reader.page.wait_for_function("!location.search.includes('picture=')")


def test_a_prompt_of_unknown_symbols_is_named_in_the_panels(guest: Visit) -> None:
    guest.open("attention", run="tiny", prompt="漢字")
    for panel in ("maps", "next"):
        expect(guest.player.locator(f'[data-panel="{panel}"] .note').first).to_contain_text("漢字")
