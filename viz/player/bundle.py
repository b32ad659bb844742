"""The player's modules and style sheets as one script and one sheet, for the hosts that take no more."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "js"
# In the order in which one needs the other; `player.js` holds the default export that Streamlit calls.
MODULES = (
    "drawing",
    "timeline",
    "stepper",
    "player",
    "tip",
    "heat",
    "heads",
    "atlas",
    "curves",
    "cloud",
    "camera",
    "discs",
    "lettering",
    "lasso",
    "traces",
    "scatter_legend",
    "scatter",
    "maps",
    "scores",
    "bars",
    "samples",
    "numbers",
    "comparisons",
    "neighbours",
)


def style() -> str:
    """Return the style sheets of ``js/`` as one."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(FOLDER.glob("*.css"), key=lambda path: path.stem != "player")
    )


def script() -> str:
    """Return the modules of ``js/`` as one, which is what Streamlit takes: each becomes a function that gives what it exports."""
    bound = [_bound(name, (FOLDER / f"{name}.js").read_text(encoding="utf-8")) for name in MODULES]
    return "\n".join([*bound, "export default $player.default_;"])


def _bound(name: str, module: str) -> str:
    body = re.sub(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', r"const \1 = $\2;", module, flags=re.MULTILINE)
    exported = re.findall(r"^export (?:const|function) (\w+)", body, flags=re.MULTILINE)
    default = re.findall(r"^export default function (\w+)", body, flags=re.MULTILINE)
    body = re.sub(r"^export (?:default )?", "", body, flags=re.MULTILINE)
    given = ", ".join(exported + [f"default_: {found}" for found in default])
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {given} }};\n}})();"
