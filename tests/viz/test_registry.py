"""The registries: every kind can be loaded, is named in every language, and names fields that its request has."""

from __future__ import annotations

import dataclasses

import pytest

from data.language import LANGUAGES
from viz.registry import FIGURES, FILMS, Kind, canonical
from viz.request import FigureRequest, FilmRequest

KINDS = [(kind, FilmRequest) for kind in FILMS.values()] + [(kind, FigureRequest) for kind in FIGURES.values()]


@pytest.mark.parametrize(("kind", "request_type"), KINDS, ids=lambda value: getattr(value, "name", ""))
def test_every_kind_is_complete(kind: Kind, request_type: type) -> None:
    assert callable(kind.load())
    assert set(kind.labels) == set(LANGUAGES)
    assert kind.fields <= {field.name for field in dataclasses.fields(request_type)}


def test_aliases_stand_for_one_kind_each() -> None:
    for kinds in (FILMS, FIGURES):
        aliases = [alias for kind in kinds.values() for alias in kind.aliases]
        assert not set(aliases) & set(kinds)
        assert len(set(aliases)) == len(aliases)
    assert [canonical(name, FILMS) for name in ("scores", "gram", "hats")] == ["heads", "position-similarity", "hats"]
    assert [canonical(name, FIGURES) for name in ("scores", "similarity")] == ["heads", "position-similarity"]
