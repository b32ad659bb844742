"""Requests of other sites are refused, and answers say what a browser may do with them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboards.edge import HEADERS, Edge

HERE = "http://127.0.0.1:8501"


async def _page(_: object) -> PlainTextResponse:
    return PlainTextResponse("page")


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("another machine is asked")

    monkeypatch.setattr(socket, "create_connection", no_network)
    inner = Starlette(routes=[Route("/", _page), WebSocketRoute("/stream", _stream)])
    with TestClient(Edge(inner, ["https://class.example.org"]), base_url=HERE) as client:  # type: ignore[arg-type]
        yield client


@pytest.mark.parametrize("origin", [None, HERE, "https://class.example.org"])
def test_this_servers_own_page_may_ask(client: TestClient, origin: str | None) -> None:
    headers = {"origin": origin} if origin else {}
    answer = client.get("/", headers=headers)
    assert (answer.status_code, answer.text) == (200, "page")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    with client.websocket_connect("ws://127.0.0.1:8501/stream", headers=headers) as stream:
        assert stream.receive_text() == "hello"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.org"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1.evil.example.org:8501"},
        {"origin": "file://127.0.0.1:8501"},
        {"host": "evil.example.org"},  # a name that an attacker lets point to this machine
        {"host": "evil.example.org:8501", "origin": "http://evil.example.org:8501"},
        {"host": ""},
    ],
)
def test_any_other_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/", headers=headers).status_code == 403
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect("ws://127.0.0.1:8501/stream", headers=headers),
    ):
        pass


def test_a_page_may_be_shown_in_its_own_frames_only(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'self'" in policy
    assert "http" not in policy
