"""What a film or a figure is to show: one frozen dataclass for each.

Its fields are the options of the command line, the keyword arguments of `viz.film` and `viz.figure`, the form in the dashboard, and what
the sidecar records. All that changes the picture is in `file_name`. `validate` checks what can be checked without a run; its messages
mark fields in backticks, and the command line and the page write them in their own way.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from data.errors import InputError
from probes.groups.naming import Group
from viz.base_request import Request, fields_of_others, several
from viz.output import PATHS_SVG, chosen_formats
from viz.registry import FIGURES, FILMS, Kind, canonical

MOST_RUNS = 4
FILM_FORMATS = ("mp4", "gif")
FIGURE_FORMATS = ("png", "svg", "pdf")

if TYPE_CHECKING:
    Highlight = tuple[str | Group, ...]
else:  # what the command line can write
    Highlight = tuple[str, ...]


_What = Annotated[str, tyro.conf.arg(metavar="{" + ",".join(FILMS) + "}")]
_Texts = Annotated[Highlight, tyro.conf.arg(metavar="LABELS"), tyro.conf.UseAppendAction]
_Names = Annotated[
    tuple[str, ...],
    tyro.conf.arg(metavar="NAME", help=f"Draw this figure only ({', '.join(FIGURES)}); may be given again."),
    tyro.conf.UseAppendAction,
]
_Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]


@dataclass(frozen=True)
class FilmRequest(Request):
    """Film a run over its training, as MP4 and GIF.

    Without options: the position embeddings of the newest run, laid out by t-SNE.
    """

    what: _What = "positions"
    """What to film: a table of embeddings, attention, scores of all heads, how alike positions are, or the next token over temperature."""
    highlight: _Texts = ()
    """Labels or group names with commas between: 12,13,14 or vowels. May be given again; each group has its own colour."""
    method: Literal["tsne", "umap", "pca"] = "tsne"
    """How the layout is made."""
    metric: Literal["euclidean", "cosine"] = "euclidean"
    """For tables: what distance is. The cosine ignores how long the vectors are."""
    trust: bool = True
    """For tables: draw points as rings that have few of their neighbours in the space beside them in the picture."""
    bands: _Flag = False
    """For tables: show each measure of fidelity over the steps as a band, instead of a line with two of them."""
    control: Literal["shuffled", "init"] | None = None
    """For tables: show beside the run what the same method makes of shuffled vectors, or of ones that are redrawn and never trained."""
    runs: str | None = None
    """For tables: two to four runs side by side, with commas between: seed-1,seed-2."""
    prompt: str | None = None
    """For attention and temperature: what the model reads; the opening of the run's last sample if not given."""
    layer: int | None = None
    """For attention: this layer only (the first is 0)."""
    head: int | None = None
    """For attention: this head only (the first is 0)."""
    step: int | None = None
    """For temperature: the snapshot; the last if not given."""
    layers: str | None = None
    """For heads: the layers whose heads are scored, with commas between: 0,1,5-7; all if not given."""
    items: int | None = None
    """For tokens: only this many, the most frequent ones in the run's training text (or in --text); all if not given."""
    text: Path | None = None
    """For heads: a text file to measure on instead of the run's own validation text. For tokens: the one that --items counts in."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    perplexity: float | None = None
    """For t-SNE: about how many neighbours each point attends to; from the number of points if not given."""
    seed: int = 0
    """Seed of the layout."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """For t-SNE of more than 1,000 items: where neighbours and gradients are computed, the CPU or a GPU."""
    fps: int = 30
    """Frames a second."""
    seconds_per_snapshot: float = 0.5
    """Time from one snapshot to the next, on average; where more moves, the film takes more of it."""
    duration: float | None = None
    """Seconds of the whole film, instead of --seconds-per-snapshot."""
    hold: float = 2.0
    """Seconds that the last frame stays."""
    size: str = "1920x1080"
    """Width and height in pixels, both even."""
    theme: Literal["light", "dark"] = "light"
    """Colours of the picture."""
    language: Literal["en", "pt"] = "en"
    """Language of the texts and numbers in the picture: English or Brazilian Portuguese."""
    format: str = "mp4,gif"
    """Formats to write, with commas between."""
    scheduler: str | None = None
    """Let Dask's workers measure and draw: local, local:2, or tcp://host:port; see docs/dask.md."""
    out: Path | None = None
    """Folder for the films; the run's own folder films/ if not given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(what=canonical(self.what, FILMS))

    @property
    def kind(self) -> Kind:
        """The kind of film, from the registry."""
        if self.what not in FILMS:
            raise InputError(f"there is no film of {self.what!r}; there is {', '.join(FILMS)}")
        return FILMS[self.what]

    @property
    def run_names(self) -> list[str]:
        """The names of the runs to be filmed side by side; none where there is but one."""
        return [] if self.runs is None else [name.strip() for name in self.runs.split(",") if name.strip()]

    @property
    def formats(self) -> list[str]:
        """The suffixes of the files to write."""
        return chosen_formats(self.format, FILM_FORMATS, "a film")

    def validate(self) -> None:
        """Check all that can be checked without a run.

        Raises
        ------
        InputError
            If a value is not one of those there are, or a field does not concern this kind of film or does not go with another.
        """
        from viz.drawing.canvas import Size
        from viz.films.timeline import Timeline

        kind = self.kind
        self._check_choices()
        _ = self.formats
        Size.parse(self.size)
        if self.duration is not None and self.seconds_per_snapshot != FilmRequest.seconds_per_snapshot:
            raise InputError("`duration` and `seconds_per_snapshot` both set the pace: leave out one of the two")
        Timeline(2, self.fps, self.pace(2), self.hold)
        if misplaced := self._misplaced(FILMS, [kind.name]):
            name, kinds = misplaced
            mark = "`trust=False`" if name == "trust" else f"`{name}`"
            others = " and ".join(f"`what={other}`" for other in kinds)
            raise InputError(f"{mark} does not concern a film of {self.what}: leave it out, or pass {others}")
        self._check_items([kind.name])
        if self.runs is not None:
            self._check_runs()

    def _check_runs(self) -> None:
        names = self.run_names
        for other in ("control", "run"):
            if getattr(self, other):
                raise InputError(
                    f"`runs` films several runs side by side; got it with `{other}`: leave out one of the two"
                )
        if not 2 <= len(names) <= MOST_RUNS:
            raise InputError(f"`runs` takes two to {MOST_RUNS} runs; got {len(names)}: pass `runs=seed-1,seed-2`")
        if twice := [name for place, name in enumerate(names) if name in names[:place]]:
            raise InputError(f"`runs` names run {twice[0]!r} twice: name each once")
        if any(isinstance(group, Group) for group in self.highlight):
            raise InputError("`highlight` takes labels for several runs, whose items have different places: pass texts")

    def pace(self, n_keyframes: int) -> float:
        """Compute the average time from one keyframe to the next, in seconds."""
        if self.duration is None:
            return self.seconds_per_snapshot
        if not self.duration > self.hold:
            raise InputError(
                f"a film lasts longer than its last frame, {self.hold:g} s; got `duration={self.duration:g}`"
            )
        return (self.duration - self.hold) / max(n_keyframes - 1, 1)

    @property
    def look(self) -> dict[str, Any]:
        """Size and theme, as the pictures of films take them."""
        from viz.drawing.canvas import Size
        from viz.drawing.theme import theme

        return {"size": Size.parse(self.size), "theme": theme(self.theme)}

    @property
    def file_name(self) -> str:
        """The films' name without a suffix. Requests of different pictures have different names."""
        methods = [self.method] if "method" in self.kind.fields and self.method == FilmRequest.method else []
        return self._file_name(self.kind, FILMS, *methods)


@dataclass(frozen=True)
class FigureRequest(Request):
    """Draw figures of a run for slides: losses, maps, attention, head scores, tables, next tokens.

    Without options: every figure that applies to the newest run.
    """

    only: _Names = ()
    run: str | None = None
    """Name of the run; the newest if not given."""
    prompt: str | None = None
    """For attention, layer, head, next-token, temperature, trace, lens: what the model reads; the opening of the last sample if none."""
    step: int | None = None
    """For the same: the snapshot to draw; the last if not given."""
    layer: int | None = None
    """For layer and head: which (the first is 0)."""
    head: int | None = None
    """For head: which (the first is 0); the most focused one if not given."""
    layers: str | None = None
    """For heads: the layers whose heads are scored, with commas between: 0,1,5-7; all if not given."""
    items: int | None = None
    """For tokens: only this many, the most frequent ones in the run's training text (or in --text); all if not given."""
    text: Path | None = None
    """For heads, context and zero-shot: a text file to measure on instead of the run's own validation text. For tokens: see --items."""
    trace: str | None = None
    """For trace: the name of one that  python -m trainer.generate --trace  recorded; the likeliest tokens after the prompt if not given."""
    all_tokens: _Flag = False
    """For next-token: a bar for every token of the vocabulary, in its order, with values above 0.01; for some hundred tokens."""
    highlight: _Texts = ()
    """Labels or group names to pick out in a map or poster; needs --only tokens, positions, poster or token-poster."""
    method: Literal["tsne", "umap", "pca"] = "tsne"
    """How the layout of a map is made."""
    perplexity: float | None = None
    """For t-SNE: about how many neighbours each point attends to; from the number of points if not given."""
    seed: int = 0
    """Seed of layouts and of random samples."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """For t-SNE of more than 1,000 items: where neighbours and gradients are computed, the CPU or a GPU."""
    theme: Literal["light", "dark"] = "light"
    """Colours of the picture."""
    language: Literal["en", "pt"] = "en"
    """Language of the texts and numbers in the picture: English or Brazilian Portuguese."""
    size: str = "16:9"
    """Shape of the slide: 16:9, 4:3 or square; large has the room of four, for a page; a3 is for a wall."""
    transparent: _Flag = False
    """Leave the ground out, so that the slide's own shows."""
    format: str = "png,svg,pdf"
    """Formats to write, with commas between; paths.svg is an SVG whose text is drawn as paths."""
    deck: _Flag = False
    """Put the run's films in this theme, then the figures, into one PowerPoint file."""
    out: Path | None = None
    """Folder for the figures; the run's own folder figures/ if not given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(only=tuple(canonical(name, FIGURES) for name in several(self.only)))

    @property
    def names(self) -> tuple[str, ...]:
        """The figures to draw: all where none is chosen, except those that must be asked for."""
        return self.only or tuple(name for name, kind in FIGURES.items() if not kind.on_request)

    @property
    def kind(self) -> Kind:
        """The kind of figure, from the registry; the request must name one."""
        if len(self.only) != 1 or self.only[0] not in FIGURES:
            raise InputError(f"choose one figure with `only`; there is {', '.join(FIGURES)}")
        return FIGURES[self.only[0]]

    @property
    def formats(self) -> list[str]:
        """The suffixes of the files to write; a deck needs PNGs."""
        formats = chosen_formats(self.format, (*FIGURE_FORMATS, PATHS_SVG), "a figure")
        return list(dict.fromkeys(["png", *formats])) if self.deck else formats

    @property
    def is_wide(self) -> bool:
        """Whether the slide has room for sentences beside its picture."""
        from viz.drawing.slide import SIZES

        return SIZES[self.size][0] > SIZES["4:3"][0]

    def single(self, name: str) -> FigureRequest:
        """Choose one of the figures; fields that do not concern it get their defaults."""
        unconcerned = fields_of_others(FIGURES[name], FIGURES)
        defaults = {field.name: field.default for field in dataclasses.fields(self) if field.name in unconcerned}
        return dataclasses.replace(self, only=(name,), deck=False, **defaults)  # type: ignore[arg-type]

    def validate(self) -> None:
        """Check all that can be checked without a run.

        Raises
        ------
        InputError
            If a value is not one of those there are, or a field concerns none of the figures or does not go with another.
        """
        from viz.drawing.slide import SIZES

        _ = self.formats
        if unknown := [name for name in self.only if name not in FIGURES]:
            raise InputError(f"there is no figure {unknown[0]!r}; there is {', '.join(FIGURES)}")
        self._check_choices()
        if self.highlight and (len(self.only) != 1 or "highlight" not in self.kind.fields):
            raise InputError("`highlight` belongs to one map: pass `only=tokens` or `only=positions` with it")
        if misplaced := self._misplaced(FIGURES, self.names):
            name, (first, *others) = misplaced
            kinds = " or ".join([f"`only={first}`", *others])
            raise InputError(f"`{name}` does not concern {', '.join(self.only)}: it belongs to {kinds}")
        self._check_items(self.names)
        if self.size not in SIZES:
            raise InputError(f"a slide is {', '.join(SIZES)}; got {self.size!r}: pass `size=16:9`")
        if self.trace is not None and (self.prompt is not None or self.step is not None):
            raise InputError("a recorded trace has its own prompt and step: leave out `prompt` and `step`, or `trace`")

    @property
    def look(self) -> dict[str, Any]:
        """Theme and size of the slide, as the drawing functions take them."""
        from viz.drawing.slide import SIZES
        from viz.drawing.theme import theme

        return {"theme": theme(self.theme), "inches": SIZES[self.size]}

    @property
    def file_name(self) -> str:
        """The name of the one figure without a suffix. Requests of different pictures have different names."""
        return self._file_name(self.kind, FIGURES)
