"""The first document: in the reader's language, under the product's name, and with the address of the server."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboards.document import application
from dashboards.screens import NAME, SCREENS


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Serve the routes that are ours, without Streamlit around them."""
    return TestClient(Starlette(routes=application()._user_routes))


@pytest.mark.parametrize("path", ["", "home", *SCREENS])
def test_every_page_has_a_document_that_knows_its_server(client: TestClient, path: str) -> None:
    answer = client.get(f"/{path}")
    assert answer.status_code == 200
    assert f"<title>{NAME}</title>" in answer.text
    assert answer.text.index("window.__streamlit") < answer.text.index('<script type="module"')


def test_the_document_is_in_the_language_of_the_link_or_of_the_browser(client: TestClient) -> None:
    def language(query: str, accepted: str) -> str:
        text = client.get(f"/embeddings{query}", headers={"accept-language": accepted}).text
        return text.split('<html lang="')[1].split('"')[0]

    assert language("", "en-US,en;q=0.9") == "en"
    assert language("", "pt-BR,pt;q=0.9,en;q=0.8") == "pt-BR"
    assert language("?lang=en", "pt-BR") == "en"
    assert language("?lang=pt", "en") == "pt-BR"
    assert language("?lang=<script>", "de") == "en"
