"""Every public probe by name, for the command line, the exports and the test of their common contract.

Nothing heavy is imported before a measure is computed; only those that run a model import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.progress import Progress

if TYPE_CHECKING:
    import xarray as xr

    from data.runs import Run


@dataclass(frozen=True)
class ProbeRequest:
    """What a measure may need besides the run; each takes what concerns it."""

    prompt: str | None = None
    """For attention, next-token and lens; the opening of the run's last sample if None."""
    token: str | None = None
    """For neighbours: whose."""
    seed: int = 0
    """For what is measured on windows of text or made sequences, or against groups that are drawn."""
    text: Path | None = None
    """A text file instead of the run's own corpus (of its validation split, where a model reads it)."""
    highlight: str | None = None
    """For cohesion: whose, as labels or group names with commas between."""
    what: str | None = None
    """For cohesion: positions or tokens; what `highlighted_table` says if None."""
    metric: str = "euclidean"
    """For cohesion: euclidean or cosine."""
    progress: Progress | None = None


@dataclass(frozen=True)
class ProbeKind:
    """A probe under the name it has on the command line."""

    about: str
    compute: Callable[[Run, ProbeRequest], xr.DataArray | xr.Dataset]
    needs: tuple[str, ...] = ()
    """Fields of `ProbeRequest` that it takes into account."""


def measure(run: Run, name: str, asked: ProbeRequest | None = None) -> xr.DataArray | xr.Dataset:
    """Compute a measure of `PROBES` over all whole snapshots of a run.

    Raises
    ------
    InputError
        If there is no such measure, or it does not apply to the run's model, or what it needs cannot be used.
    """
    return PROBES[check_name(name)].compute(run, asked or ProbeRequest())


def check_name(name: str) -> str:
    """Return the name of a measure; an `InputError` names those there are."""
    if name not in PROBES:
        raise InputError(f"there is no measure {name!r}; there is {', '.join(PROBES)}")
    return name


def highlighted_table(highlight: str) -> str:
    """Return the table that a highlight means where nobody says which: positions if it is whole numbers, otherwise tokens.

    It follows from the highlight alone, whatever the run. Digits as tokens are asked for by saying tokens.

    Examples
    --------
    >>> [highlighted_table(text) for text in ("12,13,14", "vowels", "a,1")]
    ['positions', 'tokens', 'tokens']
    """
    parts = [part.strip() for part in highlight.split(",") if part.strip()]
    are_numbers = bool(parts) and all(part.isascii() and part.isdigit() for part in parts)
    return "positions" if are_numbers else "tokens"


def _tokens(run: Run, asked: ProbeRequest) -> Any:
    from probes.tables.embeddings import token_embeddings

    return token_embeddings(run, progress=asked.progress)


def _positions(run: Run, asked: ProbeRequest) -> Any:
    from probes.tables.embeddings import position_embeddings

    return position_embeddings(run, progress=asked.progress)


def _token_geometry(run: Run, asked: ProbeRequest) -> Any:
    """Measure the token table; its norms against frequencies where the text is at hand."""
    from probes.tables.geometry import token_geometry
    from probes.texts import token_counts

    try:
        counts = token_counts(run, asked.text)
    except InputError:
        if asked.text is not None:
            raise
        counts = None
    return token_geometry(run, counts)


def _neighbours(run: Run, asked: ProbeRequest) -> Any:
    from probes.tables.geometry import nearest_neighbours

    if asked.token is None:
        raise InputError("neighbours of which token? pass --token")
    return nearest_neighbours(run, asked.token)


def _cohesion(run: Run, asked: ProbeRequest) -> Any:
    from probes.groups.cohesion import group_cohesion

    if asked.highlight is None:
        raise InputError("cohesion of which group? pass --highlight")
    return group_cohesion(
        run,
        asked.what or highlighted_table(asked.highlight),
        asked.highlight,
        metric=asked.metric,
        seed=asked.seed,
        text=asked.text,
        progress=asked.progress,
    )


def _position_structure(run: Run, asked: ProbeRequest) -> Any:
    from probes.tables.positions import position_structure

    return position_structure(run)


def _position_similarity(run: Run, asked: ProbeRequest) -> Any:
    from probes.tables.positions import position_similarity

    return position_similarity(run)


def _attention(run: Run, asked: ProbeRequest) -> Any:
    from probes.models.attention import attention_maps

    return attention_maps(run, asked.prompt, progress=asked.progress)


def _heads(run: Run, asked: ProbeRequest) -> Any:
    from probes.models.heads import head_scores

    return head_scores(run, seed=asked.seed, text=asked.text, progress=asked.progress)


def _copying(run: Run, asked: ProbeRequest) -> Any:
    from probes.models.heads import copying

    return copying(run, seed=asked.seed, progress=asked.progress)


def _next_token(run: Run, asked: ProbeRequest) -> Any:
    from probes.models.logits import next_token_distribution

    return next_token_distribution(run, asked.prompt, progress=asked.progress)


def _lens(run: Run, asked: ProbeRequest) -> Any:
    from probes.models.logits import logit_lens

    return logit_lens(run, asked.prompt, progress=asked.progress)


def _context(run: Run, asked: ProbeRequest) -> Any:
    from probes.models.logits import loss_by_position

    return loss_by_position(run, seed=asked.seed, text=asked.text, progress=asked.progress)


def _zero_shot(run: Run, asked: ProbeRequest) -> Any:
    from probes.models.zero_shot import zero_shot

    return zero_shot(run, seed=asked.seed, text=asked.text, progress=asked.progress)


PROBES: dict[str, ProbeKind] = {
    "heads": ProbeKind("what each attention head does: seven scores", _heads, ("seed", "text")),
    "copying": ProbeKind("loss on repeated random tokens, whole and without each head", _copying, ("seed",)),
    "attention": ProbeKind("attention maps of a prompt", _attention, ("prompt",)),
    "next-token": ProbeKind("probabilities of the token after a prompt", _next_token, ("prompt",)),
    "lens": ProbeKind("what the model would say after each layer (logit lens)", _lens, ("prompt",)),
    "context": ProbeKind("loss by position in the context", _context, ("seed", "text")),
    "zero-shot": ProbeKind(
        "how often the model knows which of four lines comes next, untaught", _zero_shot, ("seed", "text")
    ),
    "tokens": ProbeKind("the token table", _tokens),
    "token-geometry": ProbeKind(
        "isotropy, ranks, norms, drift, neighbours, CKA of the token table", _token_geometry, ("text",)
    ),
    "neighbours": ProbeKind("the nearest neighbours of a token", _neighbours, ("token",)),
    "cohesion": ProbeKind(
        "how close together a highlighted group stands, against groups that nobody highlighted",
        _cohesion,
        ("highlight", "what", "metric", "seed", "text"),
    ),
    "positions": ProbeKind("the position table", _positions),
    "position-structure": ProbeKind(
        "Toeplitz fraction, low-frequency energy, spectrum of the position table", _position_structure
    ),
    "position-similarity": ProbeKind("cosines of the centred position table", _position_similarity),
}
