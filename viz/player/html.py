"""A scene as a self-contained HTML page, for a file or for the frame of a notebook."""

from __future__ import annotations

import json
from html import escape

from viz.player.bundle import HTML, script, style
from viz.player.scene import FONT, Scene

# Nothing may be loaded: the page works offline, and what it shows stays in the browser.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
PAGE_STYLE = """
body { margin: 0; padding: 12px 16px; }
header { margin: 0 2px 10px; }
h1 { margin: 0; font-size: 20px; line-height: 1.3; }
header p { margin: 2px 0 0; font-size: 14px; line-height: 1.4; }
"""


def page(scene: Scene, *, title: str, description: str = "") -> str:
    """Build a page that plays a scene: one file with slider, keys and play button, which needs no network and no server.

    Parameters
    ----------
    scene : what is shown.
    title : heading and name of the page.
    description : a line below the heading; none if empty.

    Returns
    -------
    The HTML document. All texts are escaped.
    """
    theme = scene.theme
    data = json.dumps(scene.to_json(), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    subtitle = f"<p>{escape(description)}</p>" if description else ""
    heading = f"<header><h1>{escape(title)}</h1>{subtitle}</header>" if title or subtitle else ""
    colors = f"background: {theme.background}; color: {theme.text}; color-scheme: {theme.name};"
    return f"""<!DOCTYPE html>
<html lang="{escape(scene.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
body {{ {colors} font-family: {FONT}; }}
header p {{ color: {theme.muted}; }}{PAGE_STYLE}
{style()}
</style>
</head>
<body>
{heading}
{HTML}
<script type="application/json" id="scene">{data}</script>
<script type="module">
{script("page")}
$page.play(document.querySelector(".player"), JSON.parse(document.getElementById("scene").textContent));
</script>
</body>
</html>
"""


def frame(document: str, *, height_px: int = 640) -> str:
    """Put the HTML of `page` into an ``iframe`` that is as wide as a notebook's cell and closed off from the notebook around it."""
    look = f"width: 100%; height: {height_px}px; border: 0;"
    return f'<iframe srcdoc="{escape(document)}" sandbox="allow-scripts" style="{look}"></iframe>'
