"""Every public probe by name, for the command line, exports, the package's face and the test of their common contract.

A probe is imported when it is first used; only those that run a model import torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from data.errors import InputError
from data.progress import Progress

if TYPE_CHECKING:
    import xarray as xr

    from data.runs import Run


@dataclass(frozen=True)
class ProbeRequest:
    """Measure a run over its snapshots, and print or export the result.

    Without options, the names of the measures are listed.
    """

    measure: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME"), tyro.conf.UseAppendAction] = ()
    """Compute this measure; may be given again, and all stands for all of them."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    step: int | None = None
    """The step whose values are printed, and written by word2vec and projector; the last if not given."""
    prompt: str | None = None
    """Text that the model reads, for attention, next-token, lens and the like; the opening of the run's last sample if not given."""
    position: int | None = None
    """The position in the prompt that forward-trace and lens-terms follow, from 0; the last if not given."""
    token: str | None = None
    """The token whose neighbours are listed."""
    highlight: Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction] = ()
    """The group whose cohesion is measured: labels or group names with commas between. Given again, each is measured by itself."""
    what: Literal["positions", "tokens"] | None = None
    """The table that is highlighted; if not given, positions for whole numbers, and otherwise tokens."""
    metric: Literal["euclidean", "cosine"] = "euclidean"
    """The distance that cohesion is measured by."""
    layers: str | None = None
    """The layers whose heads are scored, with commas between: 0,1,5-7; all if not given."""
    items: int | None = None
    """Keep only this many tokens of the token table, those most frequent in the run's training text (or in --text)."""
    text: Path | None = None
    """A text file to measure on instead of the run's own corpus (of its validation split, where the model reads it)."""
    seed: int = 0
    """Seed of the windows of text, the made sequences and the groups that are drawn."""
    export: str | None = None
    """Formats to write, with commas between: csv, parquet, netcdf, and for tables word2vec, projector."""
    vectors: Path | None = None
    """Import word vectors (word2vec or GloVe text) as a run of one snapshot, named by --run, to be filmed and drawn like any other."""
    limit: int | None = None
    """Read only this many rows of the vectors."""
    scheduler: str | None = None
    """Where the model runs: local or local:2 (processes on this machine), or tcp://host:port (both need the extra dask)."""
    out: Path | None = None
    """Folder for the files; the run's own folder exports/ if not given."""

    @property
    def probes(self) -> list[str]:
        """Names of the requested probes; ``all`` leaves out those that lack the field that they need."""
        if "all" not in self.measure:
            return list(self.measure)
        return [name for name, kind in PROBES.items() if kind.required is None or getattr(self, kind.required)]

    @property
    def formats(self) -> list[str]:
        """Formats to export."""
        return [part.strip() for part in (self.export or "").split(",") if part.strip()]

    def validate(self) -> None:
        """Check what can be checked without a run: names of probes and formats, and the fields that they need."""
        if self.vectors is not None and (self.measure or self.export):
            raise InputError("`vectors` makes a run and nothing else: measure or export it by a second command")
        if self.export is not None:
            from probes.export import FORMATS

            if not self.formats or set(self.formats) - set(FORMATS):
                raise InputError(f"exports are written as {', '.join(FORMATS)}; got {self.export!r}: pass `export=csv`")
        for name in self.probes:
            self.probe(name)
        parse_layers(self.layers)

    def probe(self, name: str) -> ProbeKind:
        """Find a probe by name; an `InputError` asks for the field that it needs."""
        if name not in PROBES:
            raise InputError(f"there is no measure {name!r}; there is {', '.join(PROBES)}")
        kind = PROBES[name]
        if kind.required is not None and not getattr(self, kind.required):
            raise InputError(f"{kind.question} pass `{kind.required}`")
        return kind


@dataclass(frozen=True)
class ProbeKind:
    """A probe under the name that it has on the command line.

    Parameters
    ----------
    label : a line about it.
    function : the module, within probes, and the name of the probe, ``"models.heads:head_scores"``.
    fields : the fields of `ProbeRequest` that concern it.
    required, question : the field that it cannot do without, and the question that asks for it.
    arguments : makes the arguments of the function from a run and a request; if None, they are the fields.
    """

    label: str
    function: str
    fields: tuple[str, ...] = ()
    required: str | None = None
    question: str = ""
    arguments: Callable[[Run, ProbeRequest], dict[str, Any]] | None = None

    def load(self) -> Callable[..., xr.DataArray | xr.Dataset]:
        """Import the probe."""
        module, _, name = self.function.partition(":")
        function: Callable[..., xr.DataArray | xr.Dataset] = getattr(import_module(f"probes.{module}"), name)
        return function


def measure(
    run: Run, name: str, request: ProbeRequest | None = None, *, progress: Progress | None = None
) -> xr.DataArray | xr.Dataset:
    """Compute a probe of `PROBES` over all whole snapshots of a run.

    Parameters
    ----------
    run : the run to measure.
    name : of the probe.
    request : its fields that concern the probe are the probe's arguments.
    progress : called with the number of snapshots done so far.
    """
    request = request or ProbeRequest()
    kind = request.probe(name)
    function = kind.load()
    arguments = {field: getattr(request, field) for field in kind.fields}
    if kind.arguments is not None:
        arguments = kind.arguments(run, request)
    if "progress" in inspect.signature(function).parameters:
        arguments["progress"] = progress
    return function(run, **arguments)


def parse_layers(layers: str | None) -> list[int] | None:
    """Read the numbers of layers, single ones and ranges; None stands for all layers.

    Examples
    --------
    >>> parse_layers("0,2,5-7")
    [0, 2, 5, 6, 7]
    """
    if layers is None:
        return None
    found: list[int] = []
    for part in layers.split(","):
        first, _, last = part.partition("-")
        try:
            found += range(int(first), int(last or first) + 1)
        except ValueError:
            found = []
            break
    if not found:
        raise InputError(f"layers are numbers with commas between; got {layers!r}: pass `layers=0,1,5-7`")
    return found


def highlighted_table(highlight: str) -> Literal["positions", "tokens"]:
    """Choose the table that a highlight is of: positions if it is whole numbers only, otherwise tokens.

    It depends on the highlight alone, not on the run. To highlight digits among the tokens, request ``what="tokens"``.

    Examples
    --------
    >>> [highlighted_table(text) for text in ("12,13,14", "vowels", "a,1")]
    ['positions', 'tokens', 'tokens']
    """
    parts = [part.strip() for part in highlight.split(",") if part.strip()]
    are_numbers = bool(parts) and all(part.isascii() and part.isdigit() for part in parts)
    return "positions" if are_numbers else "tokens"


def _counts(run: Run, request: ProbeRequest) -> dict[str, Any]:
    """Count the tokens of the text, so that norms are compared with frequencies; without a text there is no comparison."""
    from probes.texts import token_counts

    try:
        return {"frequencies": token_counts(run, request.text)}
    except InputError:
        if request.text is not None:
            raise
        return {}


def _layers(_: Run, request: ProbeRequest) -> dict[str, Any]:
    return {"layers": parse_layers(request.layers), "seed": request.seed, "text": request.text}


def _group(_: Run, request: ProbeRequest) -> dict[str, Any]:
    if len(request.highlight) > 1:
        raise InputError("cohesion is measured of one group at a time: pass one `highlight`")
    fields = {name: getattr(request, name) for name in ("metric", "seed", "text")}
    [highlight] = request.highlight
    return {"what": request.what or highlighted_table(highlight), "highlight": highlight, **fields}


PROBES: dict[str, ProbeKind] = {
    "heads": ProbeKind(
        "what each attention head does: seven scores",
        "models.heads:head_scores",
        ("layers", "seed", "text"),
        arguments=_layers,
    ),
    "copying": ProbeKind(
        "loss on repeated random tokens, whole and without each head", "models.heads:copying", ("seed",)
    ),
    "attention": ProbeKind("attention maps of a prompt", "models.attention:attention_maps", ("prompt",)),
    "next-token": ProbeKind(
        "probabilities of the token after a prompt", "models.logits:next_token_distribution", ("prompt",)
    ),
    "lens": ProbeKind(
        "prediction of the next token after each layer (logit lens)", "models.logits:logit_lens", ("prompt",)
    ),
    "forward-trace": ProbeKind(
        "what each layer adds to the residual stream at one position of a prompt, and how",
        "models.forward_trace:forward_trace",
        ("prompt", "position"),
    ),
    "lens-terms": ProbeKind(
        "leading tokens after each layer, with their logits as sums of products",
        "models.forward_trace:lens_terms",
        ("prompt", "position"),
    ),
    "context": ProbeKind("loss by position in the context", "models.logits:loss_by_position", ("seed", "text")),
    "zero-shot": ProbeKind(
        "accuracy at choosing which of four lines comes next, without training",
        "models.zero_shot:zero_shot",
        ("seed", "text"),
    ),
    "tokens": ProbeKind("the token table", "groups.frequency:token_table", ("items", "text")),
    "token-geometry": ProbeKind(
        "isotropy, ranks, norms, drift, neighbours, CKA of the token table",
        "tables.geometry:token_geometry",
        ("text",),
        arguments=_counts,
    ),
    "neighbours": ProbeKind(
        "the nearest neighbours of a token",
        "tables.neighbours:nearest_neighbours",
        ("token",),
        required="token",
        question="neighbours of which token?",
    ),
    "cohesion": ProbeKind(
        "how close together a highlighted group stands, against null groups",
        "groups.cohesion:group_cohesion",
        ("highlight", "what", "metric", "seed", "text"),
        required="highlight",
        question="cohesion of which group?",
        arguments=_group,
    ),
    "positions": ProbeKind("the position table", "tables.embeddings:position_embeddings"),
    "position-structure": ProbeKind(
        "Toeplitz fraction, low-frequency energy, spectrum of the position table",
        "tables.positions:position_structure",
    ),
    "position-order": ProbeKind(
        "whether the positions stand in order along one path, against random orders",
        "tables.order:position_order",
        ("seed",),
    ),
    "position-similarity": ProbeKind("cosines of the centred position table", "tables.positions:position_similarity"),
}
