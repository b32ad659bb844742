"""The text of a record: one of its columns, or several that are joined by a template, as for instructions and their answers.

A template writes each of its columns that is not empty under a heading such as ``### Instruction:``, with blank lines between. A
conversation is a list of turns with a ``role`` and its ``content``, or ``from`` and ``value``; each is written under the name of its role.

References
----------
Taori et al. (2023), Stanford Alpaca: An instruction-following LLaMA model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import InputError

COLUMNS = ("joke", "text")
"""Columns that are read by default, the first that exists; case is ignored."""

CONVERSATION = "conversation"
CONVERSATIONS = ("messages", "conversations", "conversation")

_RESPONSE = "output response completion answer"
_TEMPLATES = {
    "instruction-input-output": {
        "System?": "system",
        "Instruction": "instruction",
        "Input?": "input context",
        "Response": _RESPONSE,
    },
    "context-question-answer": {"Context?": "context passage", "Question": "question", "Answer": "answer response"},
    "prompt-response": {"System?": "system", "Prompt": "prompt query", "Response": _RESPONSE},
    "input-output": {"Input": "input inputs", "Output": "output outputs target targets"},
}
"""The headings of each template, with the names that the column below each may have; one with a question mark may be missing."""

_ROLES = {"human": "User", "gpt": "Assistant", "model": "Assistant", "bot": "Assistant"}


@dataclass(frozen=True)
class TextColumns:
    """The columns that hold the text of a record, and the template that joins them; empty if it is one column.

    ``headings`` gives the column below each heading, in order; ``needed`` are the columns without which there is no text.
    """

    headings: Mapping[str, str]
    needed: Collection[str] = ()
    template: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the order of the text."""
        return tuple(self.headings.values())

    def __str__(self) -> str:
        names = f"column{'s' * (len(self.names) > 1)} {', '.join(map(repr, self.names))}"
        return f"{names}, template {self.template}" if self.template else names

    def text(self, record: Mapping[str, Any], where: str) -> str:
        """Write the text of a record; empty if it lacks one. ``where`` names the record in the message about a wrong turn."""
        parts = {name: _written(record.get(name), where) for name in self.names}
        if not self.template or self.template == CONVERSATION:
            return parts[self.names[0]]
        if not all(parts[name].strip() for name in self.needed):
            return ""
        return "\n\n".join(_under(title, parts[name]) for title, name in self.headings.items() if parts[name].strip())


def find_text_columns(names: Sequence[str], wanted: str | None, where: str) -> TextColumns:
    """Find the columns of the text among those of a source: the one that is wanted; or Joke, text, the only one, or those of a template.

    An `InputError` names the source, ``where``, and lists its columns if none of these is there.
    """
    if wanted is not None and wanted in names:
        return TextColumns({"": wanted})
    if wanted is None:
        usual = [name for column in COLUMNS for name in names if name.lower() == column]
        known = {name.lower(): name for name in reversed(names)}
        if usual:
            return TextColumns({"": usual[0]})
        if talk := next((known[name] for name in CONVERSATIONS if name in known), None):
            return TextColumns({"": talk}, template=CONVERSATION)
        if len(names) == 1:
            return TextColumns({"": names[0]})
        if found := next((found for name in _TEMPLATES if (found := _fitting(name, known))), None):
            return found
    lacks = f"no column {wanted!r}" if wanted is not None else "no column called Joke or text"
    hint = ", or put a line of names first" if any(map(looks_like_text, names)) else ""
    raise InputError(
        f"{where} has {lacks}; it has {', '.join(names) or 'none'}: name one of these with `text_column`{hint}"
    )


def looks_like_text(name: str) -> bool:
    """Check whether the name of a column is rather a text or a number: the first line of a table without a head."""
    return len(name) > 40 or len(name.split()) > 3 or bool(re.search(r"[.!?…]$|^[\d.,-]+$", name.strip()))


def _fitting(template: str, known: Mapping[str, str]) -> TextColumns | None:
    """Find the columns of a template among the known ones, by their names in small letters; None if one is missing."""
    columns = {
        heading: next((known[name] for name in names.split() if name in known), "")
        for heading, names in _TEMPLATES[template].items()
    }
    needed = [column for heading, column in columns.items() if not heading.endswith("?")]
    found = {heading.rstrip("?"): column for heading, column in columns.items() if column}
    return TextColumns(found, needed, template) if all(needed) else None


def _under(heading: str, text: str) -> str:
    return f"### {heading}:\n{text.strip()}"


def _written(value: Any, where: str) -> str:
    """Write a value of a column as a text: a number, or a conversation; empty if it is something else."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _conversation(value, where)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return str(value) if is_number or isinstance(value, str) else ""


def _conversation(turns: Sequence[Any], where: str) -> str:
    """Write the turns of a conversation below each other; those without a text, such as calls of tools, are left out."""
    parts = []
    for turn in turns:
        role = turn.get("role") or turn.get("from") if isinstance(turn, dict) else None
        if not isinstance(role, str):
            raise InputError(f"{where} has a turn without a role: give each a role and content, or from and value")
        content = turn.get("content", turn.get("value"))
        if isinstance(content, list):  # parts of several kinds, of which only texts can be read
            content = "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
        if isinstance(content, str) and content.strip():
            parts.append(_under(_ROLES.get(role, role.capitalize()), content))
    return "\n\n".join(parts)
