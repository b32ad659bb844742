"""The player's modules and style sheets, joined to one script and one sheet."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Literal

RUNS_FOLDER = Path(__file__).parent / "js" / "runs"
RUNS_HTML = '<div class="runs" data-testid="runs"></div>'
"""The element in which the table of all runs is mounted."""
FOLDER = Path(__file__).parent / "js"
_IMPORT_FROM = re.compile(r'from "\.{1,2}/(\w+)\.js";$', re.MULTILINE)
HOSTS = ("streamlit", "page")
HTML = '<div class="player" data-testid="player"><div class="slider"></div><div class="panels"></div></div>'
"""The element in which the player is mounted."""


def style() -> str:
    """Join the style sheets of ``js/``."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(FOLDER.glob("*.css"), key=lambda path: path.stem != "player")
    )


def script(host: Literal["streamlit", "page"]) -> str:
    """Join the modules of ``js/`` with those of a host, as one module: each becomes a function that returns its exports.

    The script of ``streamlit`` exports its mount function as default. With that of ``page``, call ``$page.play(element, scene)``.
    """
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.js"))}
    imports = {name: _IMPORT_FROM.findall(source) for name, source in sources.items()}
    order = [name for name in TopologicalSorter(imports).static_order() if name not in HOSTS]
    modules = [_wrap(name, sources[name]) for name in (*order, host)]
    return "\n".join([*modules, "export default $streamlit.default_;"] if host == "streamlit" else modules)


def runs_script() -> str:
    """Join the modules of ``js/runs/``, the table of all runs with their curves, with those of ``js/`` that they import."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(RUNS_FOLDER.glob("*.js"))}
    imports: dict[str, list[str]] = {}
    waiting = ["mount"]
    while waiting:
        name = waiting.pop()
        if name not in imports:
            if name not in sources:
                sources[name] = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
            imports[name] = _IMPORT_FROM.findall(sources[name])
            waiting += imports[name]
    modules = [_wrap(name, sources[name]) for name in TopologicalSorter(imports).static_order()]
    return "\n".join([*modules, "export default $mount.default_;"])


def runs_style() -> str:
    """Read the style sheet of the table of all runs."""
    return (RUNS_FOLDER / "runs.css").read_text(encoding="utf-8")


def _wrap(name: str, module: str) -> str:
    body = re.sub(r'^import (\{[^}]*\}) from "\.{1,2}/(\w+)\.js";$', r"const \1 = $\2;", module, flags=re.MULTILINE)
    exports = re.findall(r"^export (?:const|function) (\w+)", body, flags=re.MULTILINE)
    default = re.findall(r"^export default function (\w+)", body, flags=re.MULTILINE)
    body = re.sub(r"^export (?:default )?", "", body, flags=re.MULTILINE)
    returned = ", ".join(exports + [f"default_: {found}" for found in default])
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {returned} }};\n}})();"
