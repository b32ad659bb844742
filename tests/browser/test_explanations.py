"""What am I seeing? A sentence on each page, and behind each panel's "?" what it shows, when it misleads and how it is computed."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.visit import Visit
from viz.explanations import explanations


def test_a_question_mark_explains_a_panel_and_escape_leads_back(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca", step=8)
    guest.step()
    panel = guest.player.locator('[data-panel="fidelity"]')
    button = panel.get_by_role("button", name="What is this?")
    button.focus()
    guest.page.keyboard.press("Enter")
    sheet = panel.get_by_role("dialog")
    expect(sheet).to_be_visible()
    guest.shot("explanation")
    for key in ("trustworthiness", "continuity", "variance-shown"):
        one = explanations()[key]
        for text in (one.what, one.misleads, one.how):
            expect(sheet).to_contain_text(text)
    guest.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()
    assert guest.step() == 8


def test_every_panel_of_the_pages_is_explained(guest: Visit) -> None:
    for name in ("overview", "embeddings", "attention", "generate"):
        guest.open(
            name, run="tiny", lang="pt", **({"method": "pca", "group": "vowels"} if name == "embeddings" else {})
        )
        guest.step()
        for panel in guest.player.locator(".panel").all():
            expect(panel.locator(".ask")).to_be_visible()


def test_the_sentence_of_a_page_is_dismissed_for_good(guest: Visit) -> None:
    guest.open("attention", run="tiny")
    sentence = guest.page.get_by_text("For each token of the prompt")
    expect(sentence).to_be_visible()
    guest.page.get_by_role("button", name="Do not show this again").click()
    expect(sentence).to_have_count(0)
    guest.open("attention", run="tiny")
    guest.step()
    expect(sentence).to_have_count(0)
    guest.open("generate", run="tiny")
    expect(guest.page.get_by_text("The same prompt, continued")).to_be_visible()
