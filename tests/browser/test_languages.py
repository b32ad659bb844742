"""The browser's language decides at first; the address and the reader's own choice come before it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Visit

Window = Callable[..., AbstractContextManager[Visit]]


def language_of(guest: Visit) -> str:
    return str(guest.page.evaluate("document.documentElement.lang"))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("locale", "title", "tag"),
    [
        ("pt-BR", "Gerar", "pt-BR"),
        ("pt-PT", "Gerar", "pt-BR"),
        ("en-US", "Generate", "en"),
        ("de-DE", "Generate", "en"),
    ],
)
def test_a_page_opens_in_the_language_of_the_browser(window: Window, locale: str, title: str, tag: str) -> None:
    with window(locale=locale) as guest:
        guest.open("generate", run="tiny")
        expect(guest.page).to_have_title(f"{title} · GPTLab")
        guest.until(lambda: language_of(guest) == tag)
        assert "lang" not in guest.query()


def test_the_address_comes_before_the_browser(window: Window) -> None:
    with window(locale="pt-BR") as guest:
        guest.open("generate", run="tiny", lang="en")
        expect(guest.page).to_have_title("Generate · GPTLab")
        guest.until(lambda: language_of(guest) == "en")


@pytest.mark.slow
def test_the_choice_of_the_reader_is_kept(window: Window) -> None:
    with window(locale="en-US") as guest:
        guest.open("generate", run="tiny")
        guest.page.get_by_role("button", name="Português").click()
        guest.until(lambda: language_of(guest) == "pt-BR")
        guest.until(lambda: guest.query().get("lang") == "pt")
        guest.open("films", run="tiny")  # another visit, whose address names no language
        expect(guest.page).to_have_title("Filmes · GPTLab")
        guest.page.get_by_role("button", name="English").click()
        guest.until(lambda: language_of(guest) == "en")
        guest.open("films", run="tiny")
        expect(guest.page).to_have_title("Films · GPTLab")
