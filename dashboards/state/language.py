"""The texts of the pages: one catalogue in English and Brazilian Portuguese, and numbers as each language writes them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from data.errors import InputError
from data.language import LANGUAGES, LOCALES, format_number, names, translated
from data.runs import Run
from viz.player import words

LANGUAGE_COOKIE = "gptlab_language"
CATALOGUE = Path(__file__).with_name("catalogue")
Sections = dict[str, dict[str, dict[str, str]]]


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, str]]:
    """Read the catalogue: by key, the text in each language.

    A file holds the sections of a page or two: a table a section, in which a key has a text in each language. ``{name}`` is a blank. Two
    files cannot hold the same section.
    """
    sections = {
        **words.catalogue(),
        **{name: section for name, section in names().items() if not name.endswith("_also")},
    }
    for path in sorted(CATALOGUE.glob("*.toml")):
        sections = _joined(sections, tomllib.loads(path.read_text(encoding="utf-8")))
    return {f"{section}.{key}": texts for section, entries in sections.items() for key, texts in entries.items()}


def _joined(sections: Sections, more: Sections) -> Sections:
    if both := sections.keys() & more.keys():
        raise ValueError(f"section {', '.join(sorted(both))} stands in two files of the catalogue")
    return sections | more


def first_language(*wanted: str) -> str:
    """Choose the language of a visit: the first of the wanted ones that there is, English if there is none.

    Parameters
    ----------
    wanted : language tags (``pt-BR``), or lists of them as in the header Accept-Language; empty ones are passed over.

    Examples
    --------
    >>> first_language("", "pt-BR"), first_language("de", "fr;q=0.9,pt;q=0.8,en;q=0.7"), first_language("de")
    ('pt', 'pt', 'en')
    """
    tags = [tag for text in wanted for tag in re.split(r"[\s,]+|;[^,]*", text.lower())]
    return next((code for tag in tags if (code := re.split("[-_]", tag)[0]) in LANGUAGES), "en")


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

    def count(self, key: str, n: int, **values: object) -> str:
        """Return the text of a key for so many things: of one, that of the key with ``_one``, if there is one. ``{n}`` is their number.

        Examples
        --------
        >>> Translation().count("overview.n_layer", 1), Translation().count("overview.n_layer", 1200)
        ('1 layer', '1,200 layers')
        """
        singular = f"{key}_one"
        return self(singular if n == 1 and singular in catalogue() else key, n=self.number(n), **values)

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
            return label if value is None else f"{label} {translated(value, self.language)}"

        return InputError(translated(str(error), self.language)).worded(word)

    def step(self, run: Run, step: int, *, in_words: bool = True) -> str:
        """Name a snapshot of a run by its step (``step 1,000``, or the number alone), or by what is known of it."""
        if step == 0 and (unknown := words.unknown_step(run.step_attrs.get("unknown", ""), self.language)):
            return unknown
        return f"{self('slider.step')} {self.number(step)}" if in_words else self.number(step)

    def number(self, value: float, decimals: int = 0) -> str:
        """Format a number with separators between thousands."""
        return format_number(value, decimals, self.language)

    @property
    def picture_language(self) -> Literal["en", "pt"]:
        """The language of pictures that are asked for on a page."""
        return "pt" if self.language == "pt" else "en"

    @property
    def tag(self) -> str:
        """The language tag for browsers."""
        return LOCALES[self.language]
