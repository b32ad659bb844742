"""The kinds of films and figures: what makes each, which fields of a request concern it, what it is called.

The command lines, `viz.film` and `viz.figure`, the slide deck, the dashboard and the documentation read these tables. A new kind is a
function that makes it, and an entry here. Nothing heavy is imported before a kind is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

Need = Literal["model", "positions", "losses"]


@dataclass(frozen=True)
class Kind:
    """A kind of film or of figure."""

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
    on_request: bool = False
    """Whether it is left out where all kinds are drawn."""

    def load(self) -> Callable[..., Any]:
        """Import the function that makes this kind."""
        module, function = self.maker.split(":")
        maker: Callable[..., Any] = getattr(import_module(module), function)
        return maker


def _by_name(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


def canonical(name: str, kinds: Mapping[str, Kind]) -> str:
    """Replace an earlier name of a kind by its present one; other names stay as they are.

    Examples
    --------
    >>> canonical("gram", FILMS), canonical("tokens", FILMS)
    ('position-similarity', 'tokens')
    """
    return next((kind.name for kind in kinds.values() if name in kind.aliases), name)


_TABLE = frozenset(
    {"highlight", "method", "metric", "trust", "bands", "control", "runs", "perplexity", "seed", "device"}
)
_MAP = frozenset({"highlight", "method", "perplexity", "seed", "device"})
_FREQUENT = frozenset({"items", "text"})
_AT_A_STEP = frozenset({"prompt", "step"})
_ON_TEXT = frozenset({"text", "seed"})
_AT_A_HEAD = frozenset({"prompt", "layer", "head"})
_SCORES = _ON_TEXT | {"layers"}


def _film(name: str, english: str, portuguese: str, maker: str, **more: Any) -> Kind:
    return Kind(name, {"en": english, "pt": portuguese}, f"viz.films.{maker}", **more)


def _table_figure(name: str, english: str, portuguese: str, maker: str, **more: Any) -> Kind:
    return Kind(name, {"en": english, "pt": portuguese}, f"viz.figures.makers.table_makers:{maker}", **more)


def _model_figure(name: str, english: str, portuguese: str, maker: str, fields: frozenset[str], **more: Any) -> Kind:
    maker = f"viz.figures.makers.model_makers:{maker}"
    return Kind(name, {"en": english, "pt": portuguese}, maker, fields, needs="model", **more)


FILMS = _by_name(
    _film("positions", "Positions", "Posições", "table_films:make_table_film", fields=_TABLE, needs="positions"),
    _film("tokens", "Tokens", "Tokens", "table_films:make_table_film", fields=_TABLE | _FREQUENT),
    _film("attention", "Attention", "Atenção", "heatmap_film:make_attention_film", fields=_AT_A_HEAD, needs="model"),
    _film(
        "heads",
        "Head scores",
        "Medidas das cabeças",
        "head_score_film:make_head_score_film",
        fields=_SCORES,
        aliases=("scores",),
        needs="model",
    ),
    _film(
        "position-similarity",
        "Similarity of positions",
        "Semelhança das posições",
        "heatmap_film:make_position_similarity_film",
        aliases=("gram",),
        needs="positions",
    ),
    _film(
        "temperature",
        "Temperature",
        "Temperatura",
        "temperature_film:make_temperature_film",
        fields=_AT_A_STEP,
        needs="model",
    ),
)

FIGURES = _by_name(
    _table_figure("loss", "Loss", "Perda", "make_loss", needs="losses"),
    _table_figure("tokens", "Map of tokens", "Mapa dos tokens", "make_map", fields=_MAP | _FREQUENT),
    _table_figure("positions", "Map of positions", "Mapa das posições", "make_map", fields=_MAP, needs="positions"),
    _model_figure(
        "attention", "Attention of all heads", "Atenção de todas as cabeças", "make_attention_grid", _AT_A_STEP
    ),
    _model_figure(
        "layer", "Attention of one layer", "Atenção de uma camada", "make_attention_layer", _AT_A_STEP | {"layer"}
    ),
    _model_figure(
        "head", "Attention of one head", "Atenção de uma cabeça", "make_attention_head", _AT_A_STEP | _AT_A_HEAD
    ),
    _model_figure(
        "heads", "Scores of the heads", "Medidas das cabeças", "make_head_scores", _SCORES, aliases=("scores",)
    ),
    _model_figure("next-token", "Next token", "Próximo token", "make_next_token", _AT_A_STEP | {"all_tokens"}),
    _model_figure(
        "temperature",
        "Next token at five temperatures",
        "Próximo token em cinco temperaturas",
        "make_temperature",
        _AT_A_STEP,
    ),
    _model_figure("trace", "Token by token", "Token por token", "make_trace", _AT_A_STEP | {"trace"}),
    _model_figure("lens", "Logit lens", "Lente de logits", "make_lens", _AT_A_STEP),
    _model_figure("context", "Loss by position", "Perda por posição", "make_context", _ON_TEXT),
    _model_figure("zero-shot", "Next line, untaught", "Próxima linha, sem ensino", "make_zero_shot", _ON_TEXT),
    _table_figure("token-spectrum", "Spectrum of the tokens", "Espectro dos tokens", "make_spectrum"),
    _table_figure(
        "position-spectrum", "Spectrum of the positions", "Espectro das posições", "make_spectrum", needs="positions"
    ),
    _table_figure(
        "position-table", "Table of positions", "Tabela de posições", "make_position_table", needs="positions"
    ),
    _table_figure(
        "position-similarity",
        "Similarity of positions",
        "Semelhança das posições",
        "make_position_similarity",
        aliases=("similarity",),
        needs="positions",
    ),
    _table_figure(
        "poster",
        "Poster of the positions",
        "Pôster das posições",
        "make_map",
        fields=_MAP,
        needs="positions",
        on_request=True,
    ),
    _table_figure(
        "token-poster",
        "Poster of the tokens",
        "Pôster dos tokens",
        "make_map",
        fields=_MAP | _FREQUENT,
        on_request=True,
    ),
)
