"""Every page stands in a real browser, in both languages, and nothing on it is an error."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Visit

TITLES = {
    "overview": ("Overview", "Visão geral"),
    "embeddings": ("Embeddings", "Embeddings"),
    "attention": ("Attention", "Atenção"),
    "model": ("The model at work", "O modelo em ação"),
    "generate": ("Generate", "Gerar"),
    "films": ("Films", "Filmes"),
    "compare": ("Compare", "Comparar"),
    "figures": ("Figures", "Figuras"),
}
MOVING = ("overview", "embeddings", "attention", "model")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", TITLES)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_a_page_stands_without_errors(guest: Visit, name: str, language: str) -> None:
    guest.open(name, run="tiny", **({"lang": "pt"} if language == "pt" else {}))
    guest.shot(f"{name}-{language}")
    expect(guest.page).to_have_title(f"{TITLES[name][language == 'pt']} · GPTLab")
    assert guest.page.get_by_test_id("stException").count() == 0
    if name in MOVING:
        assert guest.step() == 60


def test_one_browser_serves_all_tests(request: pytest.FixtureRequest, worker_id: str) -> None:
    if worker_id == "master":
        pytest.skip("all tests run in one process")
    assert request.node.nodeid.endswith("@browser"), "pytest-xdist does not keep the group together"
