"""The text of a record: one of its columns, or several that are joined by a template, as for instructions and their answers.

A template writes each of its columns that is not empty under a heading, with blank lines between, as Alpaca's does::

    ### Instruction:
    Name a colour.

    ### Response:
    Blue.

===========================  ==================================================================================
template                     columns, with the names that each may have; those in parentheses may be missing
===========================  ==================================================================================
instruction-input-output     (system), instruction, (input, context), output or response or completion or answer
context-question-answer      (context, passage), question, answer or response
prompt-response              (system), prompt or query, response or completion or output or answer
input-output                 input or inputs, output or outputs or target or targets
===========================  ==================================================================================

A conversation is a list of turns in the column ``messages``, ``conversations`` or ``conversation``. A turn has a ``role`` and its
``content``, or ``from`` and ``value``, and is written under the name of the role: System, User or Assistant.

References
----------
Taori et al. (2023), Stanford Alpaca: An instruction-following LLaMA model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import InputError, list_names

COLUMNS = ("joke", "text")
"""Columns that are read by default, the first that exists; case is ignored."""

CONVERSATIONS = ("messages", "conversations", "conversation")

_SYSTEM = ("System", ("system",), False)
_RESPONSE = ("Response", ("output", "response", "completion", "answer"), True)
_TEMPLATES: dict[str, tuple[tuple[str, tuple[str, ...], bool], ...]] = {
    "instruction-input-output": (
        _SYSTEM,
        ("Instruction", ("instruction",), True),
        ("Input", ("input", "context"), False),
        _RESPONSE,
    ),
    "context-question-answer": (
        ("Context", ("context", "passage"), False),
        ("Question", ("question",), True),
        ("Answer", ("answer", "response"), True),
    ),
    "prompt-response": (_SYSTEM, ("Prompt", ("prompt", "query"), True), _RESPONSE),
    "input-output": (
        ("Input", ("input", "inputs"), True),
        ("Output", ("output", "outputs", "target", "targets"), True),
    ),
}
"""For each template the headings, the names of the column below each, and whether it is needed."""

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
        names = ", ".join(map(repr, self.names))
        if not self.template:
            return f"column {names}"
        return f"column{'s' * (len(self.names) > 1)} {names} joined by the template {self.template}"

    def text(self, record: Mapping[str, Any], where: str) -> str:
        """Write the text of a record; empty if it lacks one. ``where`` names the record in the message about a wrong turn."""
        if not self.template:
            (name,) = self.names
            value = record.get(name)
            return value if isinstance(value, str) else _conversation(value, where) if _is_list(value) else ""
        parts = {
            name: _conversation(value, where) if _is_list(value := record.get(name)) else _plain(value)
            for name in self.names
        }
        if not all(parts[name].strip() for name in self.needed):
            return ""
        if self.template == "conversation":
            return parts[self.names[0]]
        return "\n\n".join(_under(title, parts[name]) for title, name in self.headings.items() if parts[name].strip())


def find_text_columns(names: Sequence[str], wanted: str | None, where: str) -> TextColumns:
    """Find the columns of the text among those of a source.

    Parameters
    ----------
    names : of all columns.
    wanted : the name of a column that holds the text; by default Joke or text, the only column, or those of a template.
    where : the source, for messages.

    Raises
    ------
    InputError
        If there is no such column; the message lists those there are.
    """
    if wanted is not None and wanted in names:
        return TextColumns({"": wanted})
    if wanted is None:
        usual = [name for column in COLUMNS for name in names if name.lower() == column]
        known = {name.lower(): name for name in reversed(names)}
        if usual:
            return TextColumns({"": usual[0]})
        if talk := next((known[name] for name in CONVERSATIONS if name in known), None):
            return TextColumns({"": talk}, (talk,), "conversation")
        if len(names) == 1:
            return TextColumns({"": names[0]})
        if found := next((found for name in _TEMPLATES if (found := _fitting(name, known))), None):
            return found
    lacks = f"no column {wanted!r}" if wanted is not None else "no column called Joke or text"
    headless = "; if its first line is a text, put the names of the columns before it" * any(
        map(looks_like_text, names)
    )
    raise InputError(
        f"{where} has {lacks}; it has {list_names(names, 20) or 'none'}: name one of these with `text_column`{headless}"
    )


def looks_like_text(name: str) -> bool:
    """Check whether the name of a column is rather a text or a number, in the first line of a table without a head.

    Examples
    --------
    >>> [looks_like_text(name) for name in ("my text", "Punchline", "The cat sat down.", "12")]
    [False, False, True, True]
    """
    return len(name) > 40 or len(name.split()) > 3 or bool(re.search(r"[.!?…]$|^[\d.,-]+$", name.strip()))


def _fitting(template: str, known: Mapping[str, str]) -> TextColumns | None:
    """Find the columns of a template among the known ones, by their names in small letters; None if one is missing."""
    headings, needed = {}, []
    for heading, names, is_needed in _TEMPLATES[template]:
        column = next((known[name] for name in names if name in known), None)
        if column is not None:
            headings[heading] = column
            needed += [column] * is_needed
        elif is_needed:
            return None
    return TextColumns(headings, needed, template)


def _under(heading: str, text: str) -> str:
    return f"### {heading}:\n{text.strip()}"


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, (str, int, float)) else ""


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _conversation(turns: Sequence[Any], where: str) -> str:
    """Write the turns of a conversation below each other; those without a text, such as calls of tools, are left out."""
    parts = []
    for turn in turns:
        role = turn.get("role") or turn.get("from") if isinstance(turn, dict) else None
        if not isinstance(role, str):
            raise InputError(
                f"{where} has a turn without a role: each needs 'role' and 'content', or 'from' and 'value'"
            )
        content = turn.get("content", turn.get("value"))
        if isinstance(content, list):  # parts of several kinds, of which only texts can be read
            content = "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
        if isinstance(content, str) and content.strip():
            parts.append(_under(_ROLES.get(role, role.capitalize()), content))
    return "\n\n".join(parts)
