"""The addends of the residual stream add up to it, the last word of the lens is the model's, and every part agrees with an oracle."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from data.errors import InputError
from data.runs import Run
from probes.models.attention import attention_maps
from probes.models.block_passage import leading_terms, share_along
from probes.models.forward_trace import forward_trace, lens_terms, trace_with_lens
from probes.models.logits import logit_lens, next_token_distribution
from tests.probes.made_run import STEPS, SYMBOLS, made_run, model_of_step, shape
from tests.probes.models.test_hf_models import imported
from tests.trainer.test_model import gpt2_with_weights_of
from trainer.config import ModelConfig
from trainer.loading import load_model

PROMPT = "não mo co ba"
KINDS: dict[str, dict[str, Any]] = {
    "gptlab": {},
    "gpt2": {"bias": "all"},
    "nanogpt": {"bias": "none", "gelu": "exact"},
    "gpt1": {"norm": "post", "bias": "all"},
}


def config_of(kind: str) -> ModelConfig:
    return dataclasses.replace(shape(), **KINDS[kind])


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def made(tmp_path: Path, kind: str) -> Run:
    return made_run(tmp_path, config_of(kind))


def prompt_ids(length: int = len(PROMPT)) -> torch.Tensor:
    return torch.tensor([[SYMBOLS.index(symbol) for symbol in PROMPT[:length]]])


def stream_before(trace: xr.Dataset, step: int, layer: int) -> np.ndarray:
    at = trace.sel(step=step)
    if layer:
        return np.asarray(at["residual"].sel(layer=layer - 1).values)
    return np.asarray((at["token_vector"] + at["position_vector"]).values)


def test_the_addends_add_up_to_the_stream_that_the_model_has(made: Run, kind: str) -> None:
    trace = forward_trace(made, PROMPT)
    for step in STEPS:
        model: Any = load_model(made, step)
        x = model.wte(prompt_ids()) + model.wpe.weight[: len(PROMPT)]
        np.testing.assert_allclose(stream_before(trace, step, 0), x[0, -1], rtol=1e-5, atol=1e-6)
        for layer, block in enumerate(model.h):
            x = block(x)
            at = trace.sel(step=step, layer=layer)
            np.testing.assert_allclose(at["residual"], x[0, -1], rtol=1e-4, atol=1e-5)
            total = stream_before(trace, step, layer) + at["attention_output"].values
            if kind == "gpt1":
                total = block.ln_1(torch.from_numpy(total)).numpy()
            total = total + at["mlp_output"].values
            assert float(at["sum_norm"]) == pytest.approx(float(np.linalg.norm(total)), rel=1e-4)
            after = block.ln_2(torch.from_numpy(total)).numpy() if kind == "gpt1" else total
            np.testing.assert_allclose(after, at["residual"], rtol=1e-3, atol=1e-4)


def test_norms_are_those_of_the_vectors_and_shares_add_up_to_them(made: Run) -> None:
    trace = forward_trace(made, PROMPT)
    for vector, norm in (
        ("token_vector", "token_norm"),
        ("position_vector", "position_norm"),
        ("attention_output", "attention_norm"),
        ("mlp_output", "mlp_norm"),
        ("residual", "residual_norm"),
    ):
        np.testing.assert_allclose(trace[norm], np.linalg.norm(trace[vector], axis=-1), rtol=1e-5)
    np.testing.assert_allclose(trace["token_share"] + trace["position_share"], trace["input_norm"], rtol=1e-4)
    shares = trace["before_share"] + trace["attention_share"] + trace["mlp_share"]
    np.testing.assert_allclose(shares, trace["sum_norm"], rtol=1e-4)
    np.testing.assert_allclose(trace["key_share"].sum("key"), trace["head_norm"], rtol=1e-3, atol=1e-5)


def test_the_heads_add_up_to_what_attention_adds(made: Run, kind: str) -> None:
    trace = forward_trace(made, PROMPT)
    for step in STEPS:
        model: Any = load_model(made, step)
        for layer, block in enumerate(model.h):
            at, bias = trace.sel(step=step, layer=layer), block.attn.c_proj.bias
            output = torch.from_numpy(np.array(at["attention_output"].values))
            rest = 0.0 if bias is None else float(share_along(bias, output))
            assert float(at["head_share"].sum()) + rest == pytest.approx(float(at["attention_norm"]), rel=1e-3)
            assert (bias is None) == (kind in ("gptlab", "nanogpt"))


def test_a_head_ablated_is_missing_from_the_stream(made: Run, kind: str) -> None:
    if kind == "gpt1":
        pytest.skip("the sum is normalised, so that no difference of streams is the head's vector")
    from probes.models.observation import observe, silenced

    trace = forward_trace(made, PROMPT)
    model: Any = load_model(made, 10)
    whole = observe(model, prompt_ids(), residual=True).residual[1][0, -1]
    mlp = model.h[0].mlp
    hook = mlp.register_forward_hook(lambda *seen: 0 * seen[-1])
    with_all = observe(model, prompt_ids(), residual=True).residual[1][0, -1]
    for head in range(4):
        with silenced(model, 0, head):
            without = observe(model, prompt_ids(), residual=True).residual[1][0, -1]
        norm = float((with_all - without).norm())
        assert float(trace["head_norm"].sel(step=10, layer=0, head=head)) == pytest.approx(norm, rel=1e-3)
    hook.remove()
    assert not torch.equal(whole, with_all)


def test_weights_are_the_softmax_of_the_scores_and_those_of_the_maps(made: Run) -> None:
    trace, maps = forward_trace(made, PROMPT), attention_maps(made, PROMPT)
    np.testing.assert_allclose(
        trace["attention"], maps.isel(query=-1).transpose("step", "layer", "head", "key"), atol=1e-6
    )
    scores = torch.from_numpy(trace["score"].values)
    np.testing.assert_allclose(trace["attention"], scores.softmax(-1), atol=1e-5)


def test_scores_are_products_of_queries_and_keys(tmp_path: Path) -> None:
    made = made_run(tmp_path)
    trace = forward_trace(made, PROMPT)
    model: Any = model_of_step(10, shape()).double()
    with torch.no_grad():
        x = model.wte(prompt_ids()) + model.wpe.weight[: len(PROMPT)]
        q, k, _ = model.h[0].attn.c_attn(model.h[0].ln_1(x))[0].split(32, dim=-1)
    at = trace.sel(step=10, layer=0)
    for head in range(4):
        part = slice(8 * head, 8 * head + 8)
        np.testing.assert_allclose(at["score"].sel(head=head), k[:, part] @ q[-1, part] / 8**0.5, rtol=1e-3, atol=1e-4)
        for key in (0, 5):
            products = (q[-1, part] * k[key, part]).numpy()
            dims = at["score_dim"].sel(head=head, key=key).values
            assert set(dims) == set(np.argsort(-np.abs(products))[:4])
            kept = (at["query_value"] * at["key_value"]).sel(head=head, key=key)
            np.testing.assert_allclose(kept, products[dims], rtol=1e-3, atol=1e-4)


def test_hidden_units_are_those_that_write_most(tmp_path: Path) -> None:
    made = made_run(tmp_path)
    at = forward_trace(made, PROMPT).sel(step=0, layer=2)
    model: Any = model_of_step(0, shape()).requires_grad_(False)
    output = torch.from_numpy(np.array(at["mlp_output"].values))
    writing = model.h[2].mlp.c_proj.weight
    for unit, activation, share in zip(
        at["unit"].values, at["activation"].values, at["unit_share"].values, strict=True
    ):
        expected = float(activation * (writing[:, int(unit)] @ output) / output.norm())
        assert float(share) == pytest.approx(expected, rel=1e-3)
    assert float(abs(at["unit_share"]).max()) == float(abs(at["unit_share"][0]))


def test_the_lens_is_that_of_the_other_probe_and_ends_at_the_model(made: Run) -> None:
    lens, terms = logit_lens(made, PROMPT), lens_terms(made, PROMPT)
    assert list(terms["layer"].values) == list(lens["layer"].values)
    best = np.argmax(lens["probability"].values, axis=-1)
    np.testing.assert_array_equal(terms["leader"].isel(rank=0), best)
    expected = np.take_along_axis(lens["probability"].values, terms["leader"].values, axis=-1)
    np.testing.assert_allclose(terms["probability"], expected, rtol=1e-3, atol=1e-6)
    last = terms.isel(layer=-1)
    model = np.sort(next_token_distribution(made, PROMPT).values, axis=-1)[:, ::-1][:, :10]
    np.testing.assert_allclose(last["probability"], model, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(np.exp(terms["logit"] - terms["log_total"]), terms["probability"], rtol=1e-4)


def test_a_logit_is_the_product_of_the_stream_and_the_row_of_the_token(made: Run) -> None:
    terms = lens_terms(made, PROMPT)
    for step in STEPS:
        model: Any = load_model(made, step)
        table = model.wte.weight.numpy()
        at = terms.sel(step=step)
        products = at["normalized"].values[:, None] * table[at["leader"].values]
        np.testing.assert_allclose(at["logit"], products.sum(-1), rtol=1e-3, atol=1e-3)
        kept = np.take_along_axis(products, at["term_dim"].values, axis=-1)
        np.testing.assert_allclose(at["stream_value"] * at["row_value"], kept, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(np.abs(kept).max(-1), np.abs(products).max(-1), rtol=1e-5)


def test_an_earlier_position_is_followed_as_if_the_prompt_ended_there(made: Run) -> None:
    trace, lens = trace_with_lens(made, PROMPT, position=4)
    cut_trace, cut_lens = trace_with_lens(made, PROMPT[:5])
    for found, cut in ((trace, cut_trace), (lens, cut_lens)):
        assert found.attrs["place"] == 4
        for name in found:
            np.testing.assert_array_equal(found[name], cut[name])
    assert "".join(trace["key_token"].values) == PROMPT[:5]
    assert "".join(trace["prompt_token"].values) == PROMPT
    with pytest.raises(InputError, match="positions 0 to 11"):
        forward_trace(made, PROMPT, position=12)


def test_the_residual_stream_is_that_of_gpt2(tmp_path: Path) -> None:
    trace = forward_trace(made_run(tmp_path), PROMPT)
    oracle = gpt2_with_weights_of(model_of_step(20, shape()).double())
    with torch.no_grad():
        states = oracle(prompt_ids(), output_hidden_states=True).hidden_states
    for layer in range(2):  # the last of its states has passed the final norm
        np.testing.assert_allclose(
            trace["residual"].sel(step=20, layer=layer), states[layer + 1][0, -1], rtol=1e-3, atol=1e-4
        )


def test_of_a_model_made_elsewhere_there_is_what_its_class_returns(tmp_path: Path) -> None:
    run = imported(tmp_path, "llama", (0,))
    trace, lens = trace_with_lens(run, PROMPT)
    assert set(trace.data_vars) == {"input", "input_norm", "residual", "residual_norm", "attention"}
    np.testing.assert_allclose(trace["attention"].sum("key"), 1, atol=1e-5)
    best = next_token_distribution(run, PROMPT).values.max(axis=-1)
    np.testing.assert_allclose(lens["probability"].isel(layer=-1, rank=0), best, rtol=1e-4)
    assert "term_dim" not in lens


def test_leading_terms_are_the_largest_in_size() -> None:
    left, right = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[1.0, -4.0, 0.0], [0.0, 0.0, 1.0]])
    order, a, b = leading_terms(left, right, 2)
    assert order[0].tolist() == [1, 0]
    assert (a * b)[0].tolist() == [-8.0, 1.0]
    assert order[1, 0] == 2
    assert share_along(torch.zeros(2), torch.zeros(2)) == 0
