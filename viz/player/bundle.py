"""The player's modules and style sheets, joined to one script and one sheet.

The folders of ``js/`` hold the panels: ``scatter``, ``attention``, ``model`` (the model at work) and ``measures``; ``runs`` is the table of
all runs, which has a script of its own. Beside the folders lies what all panels use. Modules are known by their names alone, which
differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent / "js"
RUNS_FOLDER = FOLDER / "runs"
HOSTS = ("streamlit", "page")
HTML = '<div class="player" data-testid="player"><div class="slider"></div><div class="panels"></div></div>'
"""The element in which the player is mounted."""
RUNS_HTML = '<div class="runs" data-testid="runs"></div>'
"""The element in which the table of all runs is mounted."""
IMPORT = re.compile(r'^import (\{[^}]*\}) from "(?:\./|\.\./)(?:\w+/)?(\w+)\.js";$', re.MULTILINE)
"""How a module imports from another: the names in braces, and the name of the other."""


def script(host: Literal["streamlit", "page"]) -> str:
    """Join all modules but those of ``js/runs`` with those of a host, as one module: each becomes a function that returns its exports.

    The script of ``streamlit`` exports its mount function as default. With that of ``page``, call ``$page.play(element, scene)``.
    """
    sources = {path.stem: _read(path) for path in module_paths()}
    order = [name for name in _in_order(sources) if name not in HOSTS]
    modules = [_wrap(name, sources[name]) for name in (*order, host)]
    return "\n".join([*modules, "export default $streamlit.default_;"] if host == "streamlit" else modules)


def runs_script() -> str:
    """Join the modules of ``js/runs``, the table of all runs with their curves, with those of ``js`` that they import."""
    known = {path.stem: path for path in (*module_paths(), *RUNS_FOLDER.glob("*.js"))}
    sources: dict[str, str] = {}
    waiting = ["mount"]
    while waiting:
        if (name := waiting.pop()) not in sources:
            sources[name] = _read(known[name])
            waiting += _imported(sources[name])
    modules = [_wrap(name, sources[name]) for name in _in_order(sources)]
    return "\n".join([*modules, "export default $mount.default_;"])


def style() -> str:
    """Join the style sheets of the player, its own first, then those of the panels."""
    paths = [path for path in FOLDER.rglob("*.css") if path.parent != RUNS_FOLDER]
    return "\n".join(_read(path) for path in sorted(paths, key=lambda path: (path.stem != "player", path.stem)))


def runs_style() -> str:
    """Read the style sheet of the table of all runs."""
    return _read(RUNS_FOLDER / "runs.css")


def module_paths() -> list[Path]:
    """List the files of all modules but those of ``js/runs``, sorted by name."""
    paths = [path for path in FOLDER.rglob("*.js") if path.parent != RUNS_FOLDER]
    return sorted(paths, key=lambda path: path.stem)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _imported(source: str) -> list[str]:
    return [name for _, name in IMPORT.findall(source)]


def _in_order(sources: Mapping[str, str]) -> Iterable[str]:
    """Order modules so that each comes after those that it imports."""
    return TopologicalSorter({name: _imported(source) for name, source in sources.items()}).static_order()


def _wrap(name: str, module: str) -> str:
    body = IMPORT.sub(r"const \1 = $\2;", module)
    exports = re.findall(r"^export (?:const|function) (\w+)", body, flags=re.MULTILINE)
    default = re.findall(r"^export default function (\w+)", body, flags=re.MULTILINE)
    body = re.sub(r"^export (?:default )?", "", body, flags=re.MULTILINE)
    returned = ", ".join(exports + [f"default_: {found}" for found in default])
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {returned} }};\n}})();"
