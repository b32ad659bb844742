"""The edge of the server: who may ask, and what a browser may do with a page.

The server listens on this machine only. But any page that the reader has open elsewhere could ask it, through the reader's browser. So a
request is refused whose host or origin is not this server's own (or one that ``server.corsAllowedOrigins`` names), before Streamlit looks
up the machine's address to compare it with. The headers of an answer keep a page from being shown inside another site's, and let it load
nothing from elsewhere. Streamlit needs scripts and styles within its document, so that these cannot be forbidden.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_HOSTS = frozenset({"127.0.0.1", "localhost"})

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Streamlit's own, and components as modules
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",  # the page's own WebSocket is of its origin
        "frame-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Edge:
    """Refuses requests of other sites, and puts the headers of `HEADERS` on every answer.

    Parameters
    ----------
    app : the application behind it.
    origins : further origins that may ask, such as ``https://example.org``; their hosts may be that of the request, too.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str] = ()):
        self._app = app
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._hosts = OWN_HOSTS | {host for origin in self._origins if (host := urlsplit(origin).hostname)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the handshake of one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if not self.allows(Headers(scope=scope)):
            await _refuse(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def allows(self, headers: Headers) -> bool:
        """Check whether host and origin of a request are this server's own, or named as allowed."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if urlsplit(f"//{host}").hostname not in self._hosts:
            return False
        if origin is None or origin in self._origins:
            return True
        return urlsplit(origin).scheme in ("http", "https") and urlsplit(origin).netloc == host


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "another origin"})
        return
    await PlainTextResponse("This page is of another origin.\n", status_code=403)(scope, receive, send)
