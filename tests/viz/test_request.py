"""Requests: their file names tell pictures apart, their records and command lines read back, their mistakes name fields."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.commands import parse
from data.errors import InputError
from probes.groups.naming import Group
from viz.registry import FIGURES, FILMS
from viz.request import FigureRequest, FilmRequest, Request

# Words that fields and their values are made of, to provoke names that could be read in two ways.
WORDS = st.sampled_from(
    [
        "a",
        "e",
        "A",
        "á",
        "12",
        "3",
        "and",
        "dark",
        "seed",
        "4",
        "640x360",
        "tsne",
        "vowels",
        "run",
        "x-y",
        ",",
        "the",
        "␣the",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([sign.join(words) for sign in (",", " ", "-", ";")])
)
STEPS = st.none() | st.integers(0, 3)
COMMON = {
    "prompt": st.none() | TEXTS,
    "layer": STEPS,
    "layers": st.none() | st.sampled_from(["0", "0,1", "0-1"]),
    "items": st.none() | st.integers(1, 3),
    "head": STEPS,
    "step": STEPS,
    "text": st.none() | TEXTS.map(Path),
    "highlight": st.lists(TEXTS, max_size=2).map(tuple),
    "method": st.sampled_from(["tsne", "umap", "pca"]),
    "perplexity": st.none() | st.sampled_from([3.0, 3.5, 30.0]),
    "seed": st.integers(0, 2),
    "device": st.sampled_from(["cpu", "cuda", "mps"]),
    "theme": st.sampled_from(["light", "dark"]),
}
FILM_FIELDS = {
    "metric": st.sampled_from(["euclidean", "cosine"]),
    "trust": st.booleans(),
    "bands": st.booleans(),
    "control": st.sampled_from([None, "shuffled", "init"]),
    "runs": st.none() | st.sampled_from(["a,b", "a-b,c", "a,b-c"]),
    "fps": st.sampled_from([30, 5]),
    "seconds_per_snapshot": st.sampled_from([0.5, 0.25, 2.0]),
    "hold": st.sampled_from([2.0, 0.5]),
    "size": st.sampled_from(["1920x1080", "640x360", "1280x720"]),
}
FIGURE_FIELDS = {
    "trace": st.none() | WORDS,
    "size": st.sampled_from(["16:9", "4:3", "square", "large"]),
    "all_tokens": st.booleans(),
    "transparent": st.booleans(),
}


@st.composite
def films(draw: st.DrawFn) -> FilmRequest:
    what = draw(st.sampled_from(sorted(FILMS)))
    fields = {"fps", "seconds_per_snapshot", "hold", "size", "theme"} | FILMS[what].fields
    every = COMMON | FILM_FIELDS
    return FilmRequest(
        what, **{name: draw(every[name]) for name in sorted(draw(st.sets(st.sampled_from(sorted(fields)))))}
    )


@st.composite
def figures(draw: st.DrawFn) -> FigureRequest:
    name = draw(st.sampled_from(sorted(FIGURES)))
    fields = {"size", "theme", "transparent"} | FIGURES[name].fields
    every = COMMON | FIGURE_FIELDS
    return FigureRequest((name,), **{f: draw(every[f]) for f in sorted(draw(st.sets(st.sampled_from(sorted(fields)))))})


def distinct_names(requests: list[Any]) -> None:
    names: dict[str, Request] = {}
    for request in requests:
        name = request.file_name
        assert names.setdefault(name, request) == request
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_"), name
        assert len(name) <= 180


@settings(deadline=None, max_examples=300)
@given(st.lists(films(), min_size=2, max_size=12))
def test_films_of_different_pictures_have_different_names(requests: list[FilmRequest]) -> None:
    distinct_names(requests)


@settings(deadline=None, max_examples=300)
@given(st.lists(figures(), min_size=2, max_size=12))
def test_figures_of_different_pictures_have_different_names(requests: list[FigureRequest]) -> None:
    distinct_names(requests)


def test_every_field_that_changes_the_picture_changes_the_name() -> None:
    """Each field alone, for a kind that it concerns; format, scheduler, out and run change nothing in the picture."""
    other = {"fps": 5, "hold": 0.5, "seconds_per_snapshot": 0.1, "trust": False, "text": "x.txt", "highlight": ("a",)}
    other |= {
        "prompt": "a",
        "layer": 1,
        "layers": "0",
        "items": 9,
        "duration": 9.0,
        "head": 1,
        "step": 1,
        "perplexity": 3.0,
        "seed": 1,
        "runs": "a,b",
        "trace": "t",
    }
    other |= {
        "method": "pca",
        "device": "cuda",
        "metric": "cosine",
        "control": "init",
        "theme": "dark",
        "transparent": True,
        "all_tokens": True,
        "bands": True,
        "language": "pt",
    }
    silent = {"format": "gif", "scheduler": "local", "run": "r", "deck": True}
    for kinds, make, size in (
        (FILMS, lambda name, **f: FilmRequest(name, **f), "640x360"),
        (FIGURES, lambda name, **f: FigureRequest((name,), **f), "4:3"),
    ):
        for kind in kinds.values():  # type: ignore[attr-defined]
            usual = make(kind.name)
            for field in dataclasses.fields(usual)[1:]:
                if field.name in {"out", *silent}:
                    continue
                concerns_all = not any(field.name in one.fields for one in kinds.values())  # type: ignore[attr-defined]
                changed = make(kind.name, **{field.name: ({"size": size} | other)[field.name]})
                assert (changed.file_name != usual.file_name) == (concerns_all or field.name in kind.fields), field.name
            for name in silent.keys() & {field.name for field in dataclasses.fields(usual)}:
                assert make(kind.name, **{name: silent[name]}).file_name == usual.file_name


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (FilmRequest(), "positions-tsne"),
        (FilmRequest(highlight=("12,13,14",)), "positions-tsne-12-13-14"),
        (
            FilmRequest("tokens", highlight=("vowels", "digits,punctuation")),
            "tokens-tsne-vowels-and-digits-punctuation",
        ),
        (FilmRequest("tokens", method="pca", metric="cosine", theme="dark"), "tokens-pca-cosine-dark"),
        (FilmRequest("attention", layer=0, head=1, prompt="To be"), "attention-layer-0-head-1-to-be-1bd754"),
        (FilmRequest(control="shuffled", trust=False), "positions-tsne-no-trust-control-shuffled"),
        (FilmRequest(out="films", run="base"), "positions-tsne-run-base"),
        (FilmRequest(run="base"), "positions-tsne"),
        (FigureRequest("tokens", size="square", transparent=True), "tokens-square-transparent"),
        (FigureRequest("attention", theme="dark", size="4:3"), "attention-dark-4x3"),
        (FigureRequest("positions", perplexity=3, seed=4), "positions-perplexity-3-seed-4"),
        (FilmRequest("tokens", device="cuda"), "tokens-tsne-device-cuda"),
    ],
)
def test_names_that_can_be_read(request_: FilmRequest | FigureRequest, name: str) -> None:
    assert request_.file_name == name


def test_one_group_of_two_labels_is_not_two_groups() -> None:
    highlights = [
        ("a,e",),
        ("a", "e"),
        ("a;e",),
        ("a e",),
        ("A,e",),
        ("á,e",),
        (Group("a,e", (0, 1)),),
        (Group("a,e", (1,)),),
    ]
    assert len({FilmRequest("tokens", highlight=one).file_name for one in highlights}) == len(highlights)


def test_earlier_names_are_read() -> None:
    for old, new in (("scores", "heads"), ("gram", "position-similarity")):
        assert FilmRequest(what=old) == FilmRequest(what=new)
        assert parse(FilmRequest, prog="x", args=["--what", old]) == FilmRequest(what=new)
        record = json.loads(json.dumps(FilmRequest(what=new).to_record())) | {"what": old, "an-old-option": 1}
        assert FilmRequest.from_record(record) == FilmRequest(what=new)
    for old, new in (("scores", "heads"), ("similarity", "position-similarity")):
        assert parse(FigureRequest, prog="x", args=["--only", old, "--only", "loss"]) == FigureRequest((new, "loss"))
        assert FigureRequest.from_record({"only": [old]}) == FigureRequest(new)


@settings(deadline=None, max_examples=60)
@given(films() | figures())
def test_records_and_command_lines_read_back(request_: FilmRequest | FigureRequest) -> None:
    kind = type(request_)
    assert kind.from_record(json.loads(json.dumps(request_.to_record()))) == request_
    assert parse(kind, prog="x", args=request_.arguments()) == request_


def test_the_device_is_recorded_only_if_it_is_not_the_cpu() -> None:
    """So that sidecars written before there was a choice stay as they are."""
    for make in (FilmRequest, FigureRequest):
        assert "device" not in make().to_record()
        assert make(device="cuda").to_record()["device"] == "cuda"


def test_a_group_is_kept_in_the_record_and_not_written_as_an_option() -> None:
    request = FilmRequest("tokens", highlight=(Group("mine", (2, 0)), "a"))
    assert FilmRequest.from_record(json.loads(json.dumps(request.to_record()))) == request
    with pytest.raises(InputError, match="`highlight` on the command line is a text"):
        request.arguments()


@pytest.mark.parametrize(
    "record", [{"what": 3}, {"highlight": "a"}, {"highlight": [1]}, {"layer": "0"}, {"fps": True}, {"theme": "pink"}]
)
def test_damaged_records_are_refused(record: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"`{next(iter(record))}` cannot be"):
        FilmRequest.from_record(record)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (FilmRequest("hats"), "no film of 'hats'; there is positions, tokens"),
        (FilmRequest(method="isomap"), "no method 'isomap'; there is tsne, umap, pca"),  # type: ignore[arg-type]
        (FilmRequest(theme="pink"), "no theme 'pink'; there is light, dark"),  # type: ignore[arg-type]
        (FilmRequest(seed=-1), "`seed=0`"),
        (FilmRequest(device="abacus"), "no device 'abacus'; there is cpu, cuda, mps"),  # type: ignore[arg-type]
        (FilmRequest("attention", device="cuda"), "`device` does not concern a film of attention"),
        (FilmRequest("tokens", step=1), "`step` does not concern a film of tokens: .*`what=temperature`"),
        (FilmRequest("gram", trust=False), "`trust=False` does not concern a film of position-similarity"),
        (FilmRequest(runs="a,b", highlight=(Group("g", (0,)),)), "`highlight` takes labels for several runs"),
        (FigureRequest("loss", step=3), "`step` does not concern loss: it belongs to `only=attention` or layer"),
        (FigureRequest("trace", trace="t", step=3), "leave out `prompt` and `step`, or `trace`"),
    ],
)
def test_mistakes_name_fields(request_: FilmRequest | FigureRequest, message: str) -> None:
    with pytest.raises(InputError, match=message):
        request_.validate()


def test_a_field_must_concern_one_of_the_figures_that_are_drawn() -> None:
    FigureRequest(prompt="a", layer=0, step=3, text="x.txt").validate()  # type: ignore[arg-type]  # every figure
    FigureRequest(("loss", "layer"), prompt="a", layer=0).validate()
    with pytest.raises(InputError, match="`head` does not concern loss, layer: it belongs to `only=head`"):
        FigureRequest(("loss", "layer"), head=1).validate()


def test_one_figure_of_several_keeps_what_concerns_it() -> None:
    request = FigureRequest(prompt="a", step=3, layer=1, method="pca", theme="dark", run="r")
    for name in FIGURES:
        single = request.single(name)
        single.validate()
        assert (single.only, single.theme, single.run) == ((name,), "dark", "r")
        assert (single.prompt == "a") == ("prompt" in FIGURES[name].fields)


def test_method_and_seed_are_accepted_where_they_change_nothing() -> None:
    FilmRequest("attention", method="pca", seed=3).validate()
    FigureRequest("loss", method="pca", seed=3).validate()
    assert FilmRequest("attention", method="pca", seed=3).file_name == "attention"
