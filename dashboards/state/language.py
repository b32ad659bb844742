"""The texts of the pages: one catalogue in English and Brazilian Portuguese, and numbers as each language writes them."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from data.errors import InputError
from data.runs import Run
from viz.player import words

CATALOGUE = Path(__file__).with_name("catalogue")
Sections = dict[str, dict[str, dict[str, str]]]
LANGUAGES = {"en": "English", "pt": "Português"}


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, str]]:
    """Read the catalogue: by key, the text in each language.

    A file holds the sections of a page or two: a table a section, in which a key has a text in each language. ``{name}`` is a blank. Two
    files cannot hold the same section.
    """
    sections = words.catalogue()
    for path in sorted(CATALOGUE.glob("*.toml")):
        sections = _joined(sections, tomllib.loads(path.read_text(encoding="utf-8")))
    return {f"{section}.{key}": texts for section, entries in sections.items() for key, texts in entries.items()}


def preferred_language(chosen: str | None, accepted: str) -> str:
    """Return the language of a page: the chosen one, or else the first of the browser's languages that the pages have.

    Parameters
    ----------
    chosen : a key of `LANGUAGES`; anything else counts as no choice.
    accepted : the header ``Accept-Language`` (RFC 9110, section 12.5.4).

    Examples
    --------
    >>> preferred_language(None, "fr;q=0.9, pt-BR, en;q=0.8"), preferred_language("en", "pt"), preferred_language(None, "")
    ('pt', 'en', 'en')
    """
    if chosen in LANGUAGES:
        return str(chosen)
    ranges = [_language_range(part) for part in accepted.split(",")]
    wanted = sorted((one for one in ranges if one[1] > 0), key=lambda one: -one[1])
    return next((name for name, _ in wanted if name in LANGUAGES), "en")


def _language_range(part: str) -> tuple[str, float]:
    """Read the primary language and the weight of a part of the header; a weight that is no number is 0."""
    tag, _, weight = part.partition(";")
    _, _, number = weight.partition("=")
    with contextlib.suppress(ValueError):
        return tag.strip().split("-")[0].lower(), float(number or 1)
    return "", 0.0


def _joined(sections: Sections, more: Sections) -> Sections:
    if both := sections.keys() & more.keys():
        raise ValueError(f"section {', '.join(sorted(both))} stands in two files of the catalogue")
    return sections | more


@dataclass(frozen=True)
class Translation:
    """The catalogue in one language.

    Examples
    --------
    >>> say = Translation("pt")
    >>> say("slider.step")
    'passo'
    >>> say.number(1234.5, 1)
    '1.234,5'
    """

    language: str = "en"

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key, e.g. ``"slider.step"``, with ``{name}`` replaced by the values."""
        text = catalogue()[key][self.language]
        return text.format(**values) if values else text

    def section(self, section: str) -> Mapping[str, str]:
        """Return all texts of a section by their short keys, e.g. those of the player."""
        return {
            key.removeprefix(f"{section}."): texts[self.language]
            for key, texts in catalogue().items()
            if key.startswith(f"{section}.")
        }

    def names(self, section: str, *options: str) -> dict[str, str]:
        """Return the names of options, which are keys of a section."""
        return {option: self(f"{section}.{option}") for option in options}

    def field(self, name: str) -> str:
        """Return the label of a field of a request; its name if it has no label.

        Examples
        --------
        >>> Translation("pt").field("seed")
        'Semente'
        """
        texts = catalogue().get(f"fields.{name}")
        return texts[self.language] if texts else name

    def error(self, error: InputError | str) -> str:
        """Word an error or a notice with the labels of the fields that it names.

        Examples
        --------
        >>> Translation().error(InputError("the film needs another length: pass `fps=30`"))
        'the film needs another length: pass “Frames per second” 30'
        """

        def word(name: str, value: str | None) -> str:
            label = f"“{self.field(name)}”"
            return label if value is None else f"{label} {value}"

        return (InputError(error) if isinstance(error, str) else error).worded(word)

    def step(self, run: Run, step: int, *, in_words: bool = True) -> str:
        """Name a snapshot of a run by its step (``step 1,000``, or the number alone), or by what is known of it."""
        if step == 0 and (unknown := words.unknown_step(run.step_attrs.get("unknown", ""), self.language)):
            return unknown
        return f"{self('slider.step')} {self.number(step)}" if in_words else self.number(step)

    def number(self, value: float, decimals: int = 0) -> str:
        """Format a number with separators between thousands."""
        return words.format_number(value, decimals, self.language)

    @property
    def tag(self) -> str:
        """The language tag for browsers."""
        return words.LOCALES[self.language]
