"""The application that is served: Streamlit's own, with a first document that knows its address and its language.

Streamlit's document is the same for every path. On a link to a page it therefore looks for its server below that page's path first,
and asks for files that do not exist. It also calls every page English. The document that is sent here says both at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit import file_util

from dashboards.edge import Edge
from dashboards.screens import NAME, SCREENS
from dashboards.state.language import LANGUAGE_COOKIE, first_language
from dashboards.warm_up import warmed_up
from data.language import LOCALES

APP = Path(__file__).with_name("app.py")
# Both stand for the root of this server, whatever the path of the page is.
ADDRESS = (
    "<script>window.__streamlit = {BACKEND_BASE_URL: location.origin, MAIN_PAGE_BASE_URL: location.origin}</script>"
)


async def document(request: Request) -> HTMLResponse:
    """Send the document of a page: in the language of the link, of an earlier visit, or of the browser."""
    linked, chosen = request.query_params.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, "")
    language = first_language(linked, chosen, request.headers.get("accept-language", ""))
    return HTMLResponse(page_document(LOCALES[language]), headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=len(LOCALES))
def page_document(locale: str) -> str:
    """Build the document of the pages from Streamlit's: with a language, the product's name, and the address of the server.

    Parameters
    ----------
    locale : BCP 47 tag of the page's language.
    """
    source = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    source = re.sub(r'<html lang="[^"]*">', f'<html lang="{locale}">', source, count=1)
    source = re.sub(r"<title>[^<]*</title>", f"<title>{NAME}</title>", source, count=1)
    return source.replace("<head>", f"<head>\n    {ADDRESS}", 1)


def application(origins: Collection[str] = ()) -> st.App:
    """Build the application: the script of the pages, with a document of ours at the path of each of them.

    ``origins`` are those of other sites that may ask this server (`dashboards.edge`).
    """
    routes = [Route(f"/{path}", document) for path in ("", "home", *SCREENS)]
    return st.App(APP, lifespan=warmed_up, routes=routes, middleware=[Middleware(Edge, origins=origins)])
