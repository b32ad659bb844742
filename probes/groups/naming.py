r"""Groups of items, and the grammar of a highlight: the text that names them.

A text lists labels and names of token classes with commas between: ``12,13,14``, ``vowels``, ``a,e,digits``. A semicolon begins
another group: ``vowels; digits``.

- A label is written as it is or as pictures show it: ``␣the`` for the sub-word ``" the"``, ``U+200B`` for a character without ink.
  The names ``space``, ``newline``, ``tab``, ``comma``, ``semicolon`` and ``bar`` stand for those characters; so do their names in
  Portuguese, ``espaço`` or ``vírgula``.
- A space before a label belongs to it where there is such a token (``a, the`` finds ``" the"``); otherwise it only separates.
- ``the`` finds ``" the"``, the start of a word, where there is no token ``the``.
- Double quotes hold a label that has a comma or a semicolon in it: ``"1,000"``. A double quote within them is written twice.
- A text that is itself a label is that label: ``,`` is the comma, ``;`` the semicolon. So is a semicolon between commas: ``a,;``.
- Class names are known in English and in Portuguese, with or without capitals and accents: ``vowels``, ``vogais``, ``Pontuacao``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from data.errors import InputError
from data.language.displayed_names import fold, names, spellings
from probes.groups.label_index import LabelIndex, Part, lex, quote
from probes.groups.token_classes import CHARACTER_CLASSES, SUBWORD_CLASSES, character_class, is_word, subword_class

_GROUP = re.compile(r'(?:(?<![^,;])\s*"(?:[^"]|"")*"(?=\s*(?:[,;]|$))|[^;])+')


@dataclass(frozen=True)
class Group:
    """Items to be highlighted: a name for the legend, and the indices of the members along the item dimension."""

    name: str
    members: tuple[int, ...]


def classes(tokens: Sequence[str]) -> list[Group]:
    """Group a vocabulary by class: by the classes of sub-words if it has sub-words, otherwise by those of characters.

    Classes without members are left out.

    Examples
    --------
    >>> [group.name for group in classes(["a", "b", " "])]
    ['vowels', 'consonants', 'whitespace']
    >>> [group.name for group in classes(["a", "b", " ", " the", "ing"])]
    ['starts-word', 'inside-word', 'whitespace']
    """
    has_subwords = any(len(t) > 2 and is_word(t) and (t[0] == " " or t[-1] == " ") for t in tokens)
    class_of, names = (subword_class, SUBWORD_CLASSES) if has_subwords else (character_class, CHARACTER_CLASSES)
    members: dict[str, list[int]] = {name: [] for name in names}
    for i, token in enumerate(tokens):
        if name := class_of(token):
            members[name].append(i)
    return [Group(name, tuple(found)) for name, found in members.items() if found]


def parse_highlight(
    texts: str | Sequence[str | Group], labels: Sequence[str | int], *, language: str = "en"
) -> tuple[Group, ...]:
    """Parse a highlight into groups.

    Parameters
    ----------
    texts : one text or several, each of one group or more (for the grammar see the top of this module); a `Group` is passed through.
    labels : the labels of the items: tokens, or position numbers.
    language : of the class names that an error lists, ``"en"`` or ``"pt"``; in another than English, groups are named in it, too.

    Returns
    -------
    The groups, in the order of the texts; members in the order in which they are named. A text that names nothing, or has a part that is
    neither a label nor a class, is an `InputError`.

    Examples
    --------
    >>> parse_highlight("␣the,a; comma", ["a", " the", ",", "the"])
    (Group(name='␣the, a', members=(1, 0)), Group(name='comma', members=(2,)))
    """
    groups = []
    for group, errors in _parsed(texts, labels, language):
        if errors:
            raise errors[0]
        groups.append(group)
    return tuple(groups)


def parse_highlight_leniently(
    texts: str | Sequence[str | Group], labels: Sequence[str | int], *, language: str = "en"
) -> tuple[tuple[Group, ...], tuple[InputError, ...]]:
    """Parse a highlight, as `parse_highlight` does, into groups of what can be found, and errors about the rest.

    Examples
    --------
    >>> groups, errors = parse_highlight_leniently("a,x; y", ["a", "b"])
    >>> groups, [str(error)[:28] for error in errors]
    ((Group(name='a', members=(0,)),), ["'x' is neither a token of th", "'y' is neither a token of th"])
    """
    parsed = list(_parsed(texts, labels, language))
    return tuple(group for group, _ in parsed if group.members), tuple(e for _, errors in parsed for e in errors)


def parse_group(text: str | Group, labels: Sequence[str | int], *, language: str = "en") -> Group:
    """Parse a highlight of exactly one group; several are an `InputError`.

    Examples
    --------
    >>> parse_group("12,14", range(32)).members
    (12, 14)
    """
    groups = parse_highlight([text], labels, language=language)
    if len(groups) > 1:
        raise InputError(f"`highlight` {text!r} has {len(groups)} groups where one is expected: give them one by one")
    return groups[0]


def parse_label(text: str, labels: Sequence[str | int]) -> int | None:
    """Find the index of the one item that a text names; None if it names no item, or several.

    Examples
    --------
    >>> parse_label("comma", ["a", ","]), parse_label("b", ["a", ","])
    (1, None)
    """
    return LabelIndex.of(labels).parse(text)


def split_highlight(text: str) -> tuple[str, ...]:
    """Split a highlight into the texts of its groups, without knowing the labels; equal texts are kept once.

    Examples
    --------
    >>> split_highlight('vowels; 12,13 ;"a;b"'), split_highlight(";")
    (('vowels', '12,13', '"a;b"'), (';',))
    """
    if text.strip() == ";":
        return (";",)
    return tuple(dict.fromkeys(part.strip() or part for part in _GROUP.findall(text)))


def format_highlight(
    groups: Iterable[Group | Sequence[int]], labels: Sequence[str | int], *, language: str = "en"
) -> str:
    """Write groups, or the indices of their members, as a text that `parse_highlight` reads back to the same members.

    No label may stand twice among the labels of the items; labels are written as pictures show them where that is unambiguous, and those
    without ink by their names in the language.

    Examples
    --------
    >>> format_highlight([[0, 2], [1]], ["a", " the", ",", "the"])
    'a,comma; ␣the'
    >>> format_highlight([[0]], ["1,000"])
    '"1,000"'
    """
    known = LabelIndex.of(labels)
    wanted = [group.members if isinstance(group, Group) else tuple(group) for group in groups]
    text = "; ".join(",".join(known.spell(index, language) for index in members) for members in wanted)
    try:
        if [group.members for group in parse_highlight(text, known.names)] == wanted:
            return text
    except InputError:
        pass
    return ";".join(",".join(quote(known.names[index]) for index in members) for members in wanted)


def format_label(index: int, labels: Sequence[str | int]) -> str:
    """Write the label of an item as a text that `parse_label` reads back.

    Examples
    --------
    >>> [format_label(i, ["a", ",", " the"]) for i in range(3)]
    ['a', 'comma', '␣the']
    """
    return LabelIndex.of(labels).spell(index)


def _parsed(
    texts: str | Sequence[str | Group], labels: Sequence[str | int], language: str
) -> Iterator[tuple[Group, list[InputError]]]:
    """Yield each group with the errors about those of its parts that name nothing."""
    known = LabelIndex.of(labels)
    for text in [texts] if isinstance(texts, str) else texts:
        if isinstance(text, Group):
            yield text, []
            continue
        by_semicolon = groupby(lex(text, known), key=lambda token: token == ";")
        groups = [parts for _, tokens in by_semicolon if (parts := [part for part in tokens if isinstance(part, Part)])]
        yield from (_group(parts, known, language) for parts in groups)
        if not groups:
            error = f"`highlight` {text!r} names nothing: give labels or group names, e.g. `highlight=12,13,14`"
            yield Group("", ()), [InputError(error)]


def _group(parts: Sequence[Part], labels: LabelIndex, language: str) -> tuple[Group, list[InputError]]:
    members: dict[int, None] = {}
    names, errors = [], []
    for part in parts:
        try:
            found = _resolved(part, labels, language)
        except InputError as error:
            errors.append(error)
        else:
            members.update(dict.fromkeys(found.members))
            names.append(found.name)
    return Group(", ".join(names), tuple(members)), errors


def _resolved(part: Part, labels: LabelIndex, language: str) -> Group:
    """Find the members that a part names, and write it as a legend does: with the space that belongs to a token."""
    text, word = part.text, part.text.strip()
    name = text.replace(" ", "␣") if len(text) > 1 and text in labels.indices else word or text
    index = labels.find(text) if part.item is None else part.item
    if index is not None:
        return Group(name, (index,))
    if labels.are_positions:
        raise InputError(f"there is no position {text!r}: this run has positions 0 to {len(labels.names) - 1}")
    class_name, is_exact = class_named(word)
    start = labels.indices.get(f" {word}")  # of a word that is a token with a space before it
    if start is not None and not is_exact:
        return Group(f"␣{word}", (start,))
    if class_name is None:
        raise InputError(
            f"{text!r} is neither a token of this run nor a group; groups are {', '.join(class_names(language))}"
        )
    if members := _members(class_name, labels.names):
        return Group(name if language == "en" else names()["classes"][class_name][language], members)
    raise InputError(f"no token of this run belongs to the group {word!r}: choose another to highlight")


def class_named(word: str) -> tuple[str | None, bool]:
    """Find the class of tokens that a word names in any language, and whether it is written with its own capitals and accents.

    Examples
    --------
    >>> class_named("vogais"), class_named("Pontuacao"), class_named("a")
    (('vowels', True), ('punctuation', False), (None, False))
    """
    class_name = spellings("classes").get(fold(word))
    if class_name is None:
        return None, False
    hyphenated = "-".join(word.split())  # a class of several words may be written with spaces
    own = {class_name, *(text.replace(" ", "-") for text in names()["classes"][class_name].values())}
    return class_name, hyphenated in own


def class_names(language: str = "en") -> list[str]:
    """List the names of all classes, as a highlight takes them."""
    if language == "en":
        return list(dict.fromkeys((*CHARACTER_CLASSES, *SUBWORD_CLASSES)))
    shown = names()["classes"]
    return [shown[name][language] for name in dict.fromkeys((*CHARACTER_CLASSES, *SUBWORD_CLASSES))]


def _members(class_name: str, tokens: Sequence[str]) -> tuple[int, ...]:
    class_of = character_class if class_name in CHARACTER_CLASSES else subword_class
    return tuple(i for i, token in enumerate(tokens) if class_of(token) == class_name)
