"""The kinds of films and figures: what makes each, which fields of a request concern it, what it is called.

The command lines, `viz.film` and `viz.figure`, the slide deck, the dashboard and the documentation read these tables. A new kind is a
function that makes it, and an entry here. Nothing heavy is imported before a kind is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from data.progress import Progress
    from data.runs import Run
    from viz.figures.figure import Figure
    from viz.films.film import Film
    from viz.request import FigureRequest, FilmRequest

Need = Literal["model", "positions", "losses"]


@dataclass(frozen=True)
class Kind:
    """What films and figures have in common as entries of a registry."""

    name: str
    labels: Mapping[str, str]
    """What readers call it, by language."""
    maker: str
    """The function that makes it, ``module:function``; imported when it is called."""
    fields: frozenset[str] = frozenset()
    """The fields of the request that concern this kind, beside those that concern all."""
    aliases: tuple[str, ...] = ()
    """Earlier names, still accepted."""
    needs: Need | None = None
    """What a run must have for it."""

    @property
    def label(self) -> str:
        return self.labels["en"]

    def load(self) -> Any:
        """Import the function that makes this kind."""
        module, function = self.maker.split(":")
        return getattr(import_module(module), function)


@dataclass(frozen=True)
class FilmKind(Kind):
    """A kind of film."""

    def make(self, run: Run, request: FilmRequest, progress: Progress, **others: Any) -> Film:
        film: Film = self.load()(run, request, progress, **others)
        return film


@dataclass(frozen=True)
class FigureKind(Kind):
    """A kind of figure."""

    def make(self, run: Run, request: FigureRequest, progress: Progress) -> Figure:
        figure: Figure = self.load()(run, request, progress)
        return figure


_AnyKind = TypeVar("_AnyKind", bound=Kind)


def _by_name(*kinds: _AnyKind) -> dict[str, _AnyKind]:
    return {kind.name: kind for kind in kinds}


def canonical(name: str, kinds: Mapping[str, Kind]) -> str:
    """Replace an earlier name of a kind by its present one; other names stay as they are.

    Examples
    --------
    >>> canonical("gram", FILMS), canonical("tokens", FILMS)
    ('position-similarity', 'tokens')
    """
    return next((kind.name for kind in kinds.values() if name in kind.aliases), name)


_TABLE_FILM = "viz.films.table_films:make_table_film"
_TABLE_FIELDS = frozenset({"highlight", "method", "metric", "trust", "control", "runs", "perplexity", "seed"})

FILMS: dict[str, FilmKind] = _by_name(
    FilmKind("positions", {"en": "Positions", "pt": "Posições"}, _TABLE_FILM, _TABLE_FIELDS, needs="positions"),
    FilmKind("tokens", {"en": "Tokens", "pt": "Tokens"}, _TABLE_FILM, _TABLE_FIELDS),
    FilmKind(
        "attention",
        {"en": "Attention", "pt": "Atenção"},
        "viz.films.attention_film:make_attention_film",
        frozenset({"prompt", "layer", "head"}),
        needs="model",
    ),
    FilmKind(
        "heads",
        {"en": "Head scores", "pt": "Medidas das cabeças"},
        "viz.films.head_score_film:make_head_score_film",
        frozenset({"text", "seed"}),
        aliases=("scores",),
        needs="model",
    ),
    FilmKind(
        "position-similarity",
        {"en": "Similarity of positions", "pt": "Semelhança das posições"},
        "viz.films.position_similarity_film:make_position_similarity_film",
        aliases=("gram",),
        needs="positions",
    ),
    FilmKind(
        "temperature",
        {"en": "Temperature", "pt": "Temperatura"},
        "viz.films.temperature_film:make_temperature_film",
        frozenset({"prompt", "step"}),
        needs="model",
    ),
)

_MAP = frozenset({"highlight", "method", "perplexity", "seed"})
_AT_A_STEP = frozenset({"prompt", "step"})
_ON_TEXT = frozenset({"text", "seed"})
_MAKERS = "viz.figures.makers"

FIGURES: dict[str, FigureKind] = _by_name(
    FigureKind("loss", {"en": "Loss", "pt": "Perda"}, f"{_MAKERS}.training_makers:make_loss", needs="losses"),
    FigureKind("tokens", {"en": "Map of tokens", "pt": "Mapa dos tokens"}, f"{_MAKERS}.table_makers:make_map", _MAP),
    FigureKind(
        "positions",
        {"en": "Map of positions", "pt": "Mapa das posições"},
        f"{_MAKERS}.table_makers:make_map",
        _MAP,
        needs="positions",
    ),
    FigureKind(
        "attention",
        {"en": "Attention of all heads", "pt": "Atenção de todas as cabeças"},
        f"{_MAKERS}.attention_makers:make_attention_grid",
        _AT_A_STEP,
        needs="model",
    ),
    FigureKind(
        "layer",
        {"en": "Attention of one layer", "pt": "Atenção de uma camada"},
        f"{_MAKERS}.attention_makers:make_attention_layer",
        _AT_A_STEP | {"layer"},
        needs="model",
    ),
    FigureKind(
        "head",
        {"en": "Attention of one head", "pt": "Atenção de uma cabeça"},
        f"{_MAKERS}.attention_makers:make_attention_head",
        _AT_A_STEP | {"layer", "head"},
        needs="model",
    ),
    FigureKind(
        "heads",
        {"en": "Scores of the heads", "pt": "Medidas das cabeças"},
        f"{_MAKERS}.training_makers:make_head_scores",
        _ON_TEXT,
        aliases=("scores",),
        needs="model",
    ),
    FigureKind(
        "next-token",
        {"en": "Next token", "pt": "Próximo token"},
        f"{_MAKERS}.prediction_makers:make_next_token",
        _AT_A_STEP,
        needs="model",
    ),
    FigureKind(
        "temperature",
        {"en": "Next token at five temperatures", "pt": "Próximo token em cinco temperaturas"},
        f"{_MAKERS}.decoding_makers:make_temperature",
        _AT_A_STEP,
        needs="model",
    ),
    FigureKind(
        "trace",
        {"en": "Token by token", "pt": "Token por token"},
        f"{_MAKERS}.decoding_makers:make_trace",
        _AT_A_STEP | {"trace"},
        needs="model",
    ),
    FigureKind(
        "lens",
        {"en": "Logit lens", "pt": "Lente de logits"},
        f"{_MAKERS}.prediction_makers:make_lens",
        _AT_A_STEP,
        needs="model",
    ),
    FigureKind(
        "context",
        {"en": "Loss by position", "pt": "Perda por posição"},
        f"{_MAKERS}.prediction_makers:make_context",
        _ON_TEXT,
        needs="model",
    ),
    FigureKind(
        "zero-shot",
        {"en": "Next line, untaught", "pt": "Próxima linha, sem ensino"},
        f"{_MAKERS}.prediction_makers:make_zero_shot",
        _ON_TEXT,
        needs="model",
    ),
    FigureKind(
        "token-spectrum",
        {"en": "Spectrum of the tokens", "pt": "Espectro dos tokens"},
        f"{_MAKERS}.table_makers:make_spectrum",
    ),
    FigureKind(
        "position-spectrum",
        {"en": "Spectrum of the positions", "pt": "Espectro das posições"},
        f"{_MAKERS}.table_makers:make_spectrum",
        needs="positions",
    ),
    FigureKind(
        "position-table",
        {"en": "Table of positions", "pt": "Tabela de posições"},
        f"{_MAKERS}.table_makers:make_position_table",
        needs="positions",
    ),
    FigureKind(
        "position-similarity",
        {"en": "Similarity of positions", "pt": "Semelhança das posições"},
        f"{_MAKERS}.table_makers:make_position_similarity",
        aliases=("similarity",),
        needs="positions",
    ),
)
