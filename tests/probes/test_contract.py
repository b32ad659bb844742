"""The contract of every probe: labelled, finite, deterministic, input unchanged, and a docstring that matches the signature."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import probes
from data.runs import Run
from probes.registry import PROBES, ProbeRequest, measure

GLOSSARY = {"step", "token", "position", "item", "dim", "axis", "layer", "head", "query", "key", "group"} | {
    "component",  # number of a singular value
    "other",  # second position of a pair
    "rank",  # place in a list of neighbours
    "null",  # kind of groups that one is compared with
    "quantile",  # of a null
}

# Public functions from a run to an xarray object that are not measures of their own, and why.
NO_MEASURES = {
    "over_snapshots": "it is what the measures that run a model are made with",
    "lazy_table": "it is the tokens or the positions, not read yet",
    "read_table": "it is the tokens or the positions",
    "compare_with_nulls": "it is the cohesion of a table that has been read",
    "temperature_distributions": "it is of one snapshot, over temperatures",
    "decoding_trace": "it is of one snapshot, over the tokens that it generates",
    "recorded_trace": "it is read from a file",
    "most_frequent": "it is the tokens, with items",
    "trace_with_lens": "it is the two measures of its name together",
    "token_embeddings": "it is the tokens, all of them",
}


def request_of(run: Run) -> ProbeRequest:
    return ProbeRequest(token=run.info["tokenizer"]["symbols"][5], highlight=("vowels",))


def contents(run: Run) -> str:
    """Return a hash of the names and the bytes of every file of a run."""
    digest = hashlib.sha256()
    for path in sorted(run.path.rglob("*")):
        digest.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def random_states() -> str:
    return repr((np.random.get_state(legacy=True), torch.random.get_rng_state().tolist()))


@pytest.mark.parametrize("name", PROBES)
def test_a_measure_is_labelled_finite_the_same_each_time_and_changes_nothing(name: str, run: Run) -> None:
    before, states, seen = contents(run), random_states(), list[int]()
    found = measure(run, name, request_of(run), progress=seen.append)
    again = measure(run, name, request_of(run))
    assert contents(run) == before
    assert random_states() == states
    xr.testing.assert_identical(found, again)
    assert seen in ([], list(range(1, len(run.manifest()) + 1)))
    assert {str(dim) for dim in found.dims} <= GLOSSARY
    assert [int(step) for step in found["step"]] == [snapshot.step for snapshot in run.snapshots()]
    assert list(found["sha256"].values) == [snapshot.sha256 for snapshot in run.snapshots()]
    assert found.attrs["run"] == run.name
    variables = found.data_vars.values() if isinstance(found, xr.Dataset) else [found]
    for variable in variables:
        assert variable.dims[0] == "step"
        assert variable["sha256"].dims == ("step",)
        if np.issubdtype(variable.dtype, np.number):
            assert np.isfinite(variable.values).all(), variable.name


@pytest.mark.parametrize("name", PROBES)
def test_the_fields_of_a_measure_are_those_of_a_request_and_its_arguments(name: str) -> None:
    kind = PROBES[name]
    assert set(kind.fields) <= {field.name for field in dataclasses.fields(ProbeRequest)}
    assert kind.required is None or kind.required in kind.fields
    if kind.arguments is None:
        assert set(kind.fields) <= set(inspect.signature(kind.load()).parameters)


def test_the_face_holds_every_measure_under_its_name() -> None:
    for name, kind in PROBES.items():
        assert getattr(probes, name.replace("-", "_")) is kind.load()
    assert all(getattr(probes, name) is not None for name in probes.__all__)
    with pytest.raises(AttributeError, match="no_such_probe"):
        getattr(probes, "no_such_probe")  # noqa: B009


def test_the_stub_of_the_face_holds_what_it_has() -> None:
    stub = ast.parse(Path(str(probes.__file__) + "i").read_text(encoding="utf-8"))
    found = {}
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname: (node.module, alias.name) for alias in node.names}
    assert set(found) == set(probes.__all__)
    for name, (module, original) in found.items():
        assert getattr(probes, name) is getattr(importlib.import_module(str(module)), original)


def test_the_face_is_light() -> None:
    code = "import probes, sys; probes.PROBES; assert not {'torch', 'numpy', 'xarray'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every public function of the probes, with the name of its module before it."""
    for found in pkgutil.walk_packages(probes.__path__, "probes."):
        if found.ispkg or found.name == "probes.__main__":
            continue
        module = importlib.import_module(found.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{found.name.rpartition('.')[2]}.{name}", function


FUNCTIONS = dict(public_functions())


def described(docstring: str) -> set[str] | None:
    """Return the names in the Parameters section of a docstring, or None if it has none."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+$|\Z)", docstring, re.MULTILINE | re.DOTALL)
    if section is None:
        return None
    heads = re.findall(r"^(\w+(?:, \w+)*) ?:", section[1], re.MULTILINE)
    return {name for head in heads for name in head.split(", ")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_docstring_describes_the_parameters_of_the_signature(name: str) -> None:
    docstring = inspect.getdoc(FUNCTIONS[name])
    assert docstring
    summary = docstring.split("\n\n")[0]
    assert summary.endswith((".", ":", "?")), "the first paragraph is a sentence"
    parameters = described(docstring)
    if parameters is not None:
        assert parameters == set(inspect.signature(FUNCTIONS[name]).parameters)


def test_the_parser_of_docstrings_reads_them() -> None:
    text = """Do.

    Parameters
    ----------
    run : the run,
        which is: read.
    seed, text : more.

    Returns
    -------
    value : no parameter.
    """
    assert described(inspect.cleandoc(textwrap.dedent(text))) == {"run", "seed", "text"}
    assert described("Do.") is None


def test_every_probe_of_a_run_is_a_measure() -> None:
    """A probe is a public function that takes a run and returns an xarray object; a command and an export reach it by name."""
    reached = {kind.function.partition(":")[2] for kind in PROBES.values()}
    takers = {
        name.split(".")[1]
        for name, function in FUNCTIONS.items()
        if "Run" in map(str, inspect.get_annotations(function).values())
        and "xr." in str(inspect.signature(function).return_annotation)
        and function.__module__ != "probes.registry"
    }
    assert {"attention_maps", "copying", "head_scores", "logit_lens", "token_table"} <= takers
    assert takers - reached == set(NO_MEASURES)
