"""The groups that a reader highlights, as one writes them: labels or names with commas between, groups with semicolons.

A label is written as pictures show it (``␣the``), so that what is read off a picture can be typed, and a group that was lassoed can be
kept in the address. The signs that part labels and groups are written by name where they are a label (``comma``), by their code point
where they are within one (``1U+002C000``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.errors import InputError
from probes.groups.naming import Group, highlight
from probes.groups.symbols import display

MOST_GROUPS = 6
MOST_CHARACTERS = 2000
_NAMED = {",": "comma", ";": "semicolon", " ": "space", "\n": "newline", "\t": "tab"}
_PARTING = {ord(sign): f"U+{ord(sign):04X}" for sign in ",;"}


def parted(text: str) -> tuple[str, ...]:
    """Return the groups of a text; a semicolon that stands alone is a token, and so is a space.

    Examples
    --------
    >>> parted("vowels; 12,13 ;"), parted(";")
    (('vowels', '12,13'), (';',))
    """
    if text.strip() == ";":
        return (";",)
    return tuple(dict.fromkeys(part.strip() or part for part in text.split(";") if part))


def written(labels: Sequence[str]) -> str:
    """Return a group of labels as the text that `group_of` reads.

    Examples
    --------
    >>> written(["a", ",", " the", "1,000"])
    'a,comma,␣the,1U+002C000'
    """
    return ",".join(_written(label) for label in labels)


def group_of(text: str, labels: Sequence[str]) -> tuple[Group | None, list[str]]:
    """Return the items that a text names, and a sentence about each part of it that names nothing.

    Parameters
    ----------
    text : labels as pictures show them or as they are, or names of groups (``vowels``), with commas between.
    labels : of the items.

    Examples
    --------
    >>> group_of("␣the,a,comma", ["a", " the", ",", "the"])
    (Group(name='␣the, a, comma', members=(1, 0, 2)), [])
    """
    by_name = {_written(label): place for place, label in reversed(list(enumerate(labels)))}
    parts = [text] if text in labels else [part for part in text.split(",") if part.strip() or part in labels]
    members: dict[int, None] = {}
    named, mistakes = [], []
    for part in parts:
        try:
            members.update(dict.fromkeys(_members(part, labels, by_name)))
            named.append(part.strip() or part)
        except InputError as mistake:
            mistakes.append(str(mistake).replace("--highlight ", ""))
    if not parts:
        mistakes.append(f"{text!r} names nothing: give labels or group names, e.g. 12,13,14")
    return (Group(", ".join(named), tuple(members)) if members else None), mistakes


def place_of(name: str, labels: Sequence[str]) -> int | None:
    """Return the number of the one item that a text names, as `written` writes it; None if there is none.

    Examples
    --------
    >>> place_of("comma", ["a", ","]), place_of("b", ["a", ","])
    (1, None)
    """
    return next((place for place, label in enumerate(labels) if _written(label) == name), None)


def _members(part: str, labels: Sequence[str], by_name: Mapping[str, int]) -> tuple[int, ...]:
    # As typed; then without the spaces after a comma; then as the beginning of a word, which sub-words write with a space before it.
    for name in (part, part.strip(), f"␣{part.strip()}"):
        if name in by_name:
            return (by_name[name],)
    return highlight(part, labels).members


def _written(label: str) -> str:
    return _NAMED.get(label) or display(label).translate(_PARTING)
