"""What is read off a model while it runs is what it computed: Hugging Face's GPT-2 decides. And reading changes nothing."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from data.errors import InputError
from data.runs import Run, Snapshot
from probes.models import gathering
from probes.models.attention import attention_maps, check_head
from probes.models.observation import observe
from tests.probes.made_run import STEPS, SYMBOLS, made_run, model_of_step, shape
from tests.trainer.test_model import counted, gpt2_with_weights_of, made_tokens
from trainer.loading import load_model

PROMPT = SYMBOLS[3:14]


@pytest.fixture
def made(tmp_path: Path) -> Run:
    return made_run(tmp_path)


def eager_gpt2(step: int) -> Any:
    """Return Hugging Face's GPT-2 with the weights of a step; its fused attention would return no weights."""
    oracle = gpt2_with_weights_of(model_of_step(step, shape()).double())
    oracle.config._attn_implementation = "eager"
    return oracle


@pytest.mark.parametrize("step", STEPS)
def test_the_maps_are_those_of_hugging_face(made: Run, step: int) -> None:
    ids = torch.tensor([[SYMBOLS.index(symbol) for symbol in PROMPT]])
    with torch.no_grad():
        expected = torch.stack(eager_gpt2(step)(ids, output_attentions=True).attentions)[:, 0]
    found = attention_maps(made, PROMPT).sel(step=step)
    assert found.dims == ("layer", "head", "query", "key")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_rows_are_shares_and_nothing_looks_ahead(made: Run) -> None:
    seen: list[int] = []
    maps = attention_maps(made, PROMPT, progress=seen.append)
    assert maps.dims == ("step", "layer", "head", "query", "key")
    assert maps.dtype == np.float32
    assert maps.shape == (3, 3, 4, 11, 11)
    np.testing.assert_allclose(maps.sum("key"), 1, rtol=0, atol=1e-6)
    assert not maps.where(maps["key"] > maps["query"], 0).any()
    assert "".join(maps["query_token"].values) == "".join(maps["key_token"].values) == PROMPT == maps.attrs["prompt"]
    assert list(maps["sha256"].values) == [snapshot.sha256 for snapshot in made.snapshots()]
    assert seen == [1, 2, 3]


def test_the_maps_of_one_head_are_those_among_all(made: Run) -> None:
    every = attention_maps(made, PROMPT)
    one = attention_maps(made, PROMPT, head=(2, 1))
    xr.testing.assert_identical(one, every.isel(layer=[2], head=[1]))
    for head, named in (((3, 0), "layer 3"), ((0, -1), "head -1")):
        with pytest.raises(InputError, match=f"there is no {named}"):
            attention_maps(made, PROMPT, head=head)


def test_the_residual_stream_is_that_of_hugging_face(made: Run) -> None:
    ids = made_tokens(shape(), batch=2)
    model = load_model(made, 10)
    stream = observe(model, ids, residual=True).residual
    with torch.no_grad():
        expected = eager_gpt2(10)(ids, output_hidden_states=True).hidden_states
        last = model.ln_f(stream[-1])  # there, the last of them is normalised
    assert len(stream) == len(expected) == 4
    for ours, theirs in zip([*stream[:-1], last], expected, strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("context", "kernels"), [(12, 0), (140, 3)], ids=["plain", "fused"])
def test_observing_a_model_does_not_change_its_logits(
    context: int, kernels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of_step(20, shape(block_size=context))
    ids = made_tokens(model.config, batch=2)
    calls = counted(monkeypatch, torch.nn.functional, "scaled_dot_product_attention")
    with torch.no_grad():
        alone = model(ids)[0]
        assert len(calls) == kernels
        seen = observe(model, ids, attention=True, residual=True)
        assert len(calls) == kernels
        torch.testing.assert_close(seen.logits, alone, rtol=0, atol=2e-5)
        assert torch.equal(model(ids)[0], alone)
    assert [weights.shape for weights in seen.attention] == [(2, 4, context, context)] * 3
    assert len(calls) == 2 * kernels


def test_nothing_stays_behind_when_watching_fails() -> None:
    model = model_of_step(0, shape())
    with pytest.raises(ValueError, match="at most 12 tokens"):
        observe(model, torch.zeros(1, 13, dtype=torch.long), attention=True, residual=True)
    assert not any(getattr(module, "observed", False) for module in model.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_head_that_is_not_there_is_refused(made: Run) -> None:
    maps = attention_maps(made, PROMPT)
    check_head(maps, 2, 3)
    check_head(maps, None, None)
    with pytest.raises(InputError, match="there is no layer 3: this model has layers 0 to 2"):
        check_head(maps, 3, 0)
    with pytest.raises(InputError, match="there is no head -1: this model has heads 0 to 3"):
        check_head(maps, None, -1)


@pytest.mark.parametrize("most", [0, 10_000], ids=["every snapshot flushed", "the last kept"])
def test_what_is_kept_in_a_file_equals_what_is_kept_in_memory(
    made: Run, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    in_memory = attention_maps(made, PROMPT)
    monkeypatch.setattr(gathering, "MOST_BYTES_IN_MEMORY", most)
    mapped = attention_maps(made, PROMPT)
    xr.testing.assert_identical(mapped, in_memory)
    assert in_memory.values.base is None or not isinstance(in_memory.values.base, np.memmap)
    assert isinstance(mapped.values.base, np.memmap)
    assert isinstance(mapped.isel(layer=2, head=1).mean("query").values, np.ndarray)


def test_damaged_snapshots_are_left_out_with_a_warning(made: Run) -> None:
    path = made.snapshot(10).path
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.warns(UserWarning, match=r"snapshot of step 10 of run 'made' is damaged .*: it is left out"):
        assert list(attention_maps(made, PROMPT)["step"].values) == [0, 20]
    for snapshot in made.snapshots():
        snapshot.path.unlink(missing_ok=True)
    with pytest.raises(InputError, match="no whole snapshot"), pytest.warns(UserWarning, match="is missing"):
        attention_maps(made, PROMPT)


def test_the_tensors_of_one_snapshot_are_held_at_a_time(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Any]] = []
    held: list[int] = []
    read = Snapshot.read_checked

    def watched(snapshot: Snapshot, names: Any = None) -> dict[str, Any] | str:
        held.append(sum(reference() is not None for reference in alive))
        tensors = read(snapshot, names)
        assert isinstance(tensors, dict)
        alive.extend(weakref.ref(tensor) for tensor in tensors.values())
        return tensors

    monkeypatch.setattr(Snapshot, "read_checked", watched)
    attention_maps(made, PROMPT)
    assert held == [0, 0, 0]
