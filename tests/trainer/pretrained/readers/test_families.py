"""Our GPT in the forms of its relatives: GPT-1 and GPT-2 against Hugging Face's classes, nanoGPT against its formulas."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from data.errors import InputError
from data.files.atomic_files import write_json
from data.runs import Run
from probes.models.observation import observe
from tests.trainer.test_model import SMALL, made_model, made_tokens
from trainer.config import VARIANTS, ModelConfig, described_model, preset, replace
from trainer.loading import load_model
from trainer.model import GPT
from trainer.session import start

GPT1 = dataclasses.replace(SMALL, norm="post", bias="all")
GPT2 = dataclasses.replace(SMALL, bias="all")
NANO = dataclasses.replace(SMALL, bias="none", gelu="exact")


def hugging_face(model: GPT) -> Any:
    """Return Hugging Face's GPT-1 or GPT-2 with the weights of ours, in double precision, showing its attention."""
    transformers = pytest.importorskip("transformers", reason="the oracle is Hugging Face's: pip install '.[hf]'")
    config = model.config
    shape = {
        "vocab_size": config.vocab_size,
        "n_positions": config.block_size,
        "n_embd": config.n_embd,
        "n_layer": config.n_layer,
        "n_head": config.n_head,
        "attn_implementation": "eager",
    }
    if config.norm == "post":
        oracle = transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(**shape))
    else:
        oracle = transformers.GPT2LMHeadModel(transformers.GPT2Config(**shape, bos_token_id=0, eos_token_id=0))
    renamed = {"wte.weight": "tokens_embed.weight", "wpe.weight": "positions_embed.weight"}
    theirs = dict(oracle.double().eval().transformer.named_parameters())
    with torch.no_grad():
        for name, p in model.named_parameters():
            name = renamed.get(name, name) if config.norm == "post" else name
            theirs.pop(name).copy_(p.T if p.dim() == 2 and name.startswith("h.") else p)  # theirs are stored (in, out)
    assert not theirs
    return oracle


@pytest.mark.parametrize("config", [GPT1, GPT2], ids=["GPT-1", "GPT-2"])
def test_logits_residual_stream_and_attention_are_those_of_hugging_face(config: ModelConfig) -> None:
    model, idx = made_model(config), made_tokens(config)
    seen = observe(model, idx, attention=True, residual=True)
    with torch.no_grad():
        expected = hugging_face(model)(idx, output_attentions=True, output_hidden_states=True)
    torch.testing.assert_close(seen.logits, expected.logits, rtol=0, atol=1e-10)
    for ours, theirs in zip(seen.attention, expected.attentions, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    stream = list(expected.hidden_states)
    if config.norm == "pre":  # the last that GPT-2 shows is normed already
        seen.residual[-1] = model.ln_f(seen.residual[-1])
    for ours, theirs in zip(seen.residual, stream, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_the_loss_and_its_gradients_are_those_of_gpt1_of_hugging_face() -> None:
    model, idx = made_model(GPT1).train(), made_tokens(GPT1)
    oracle = hugging_face(model)
    loss = model(idx[:, :-1], idx[:, 1:])[1]
    logits = oracle(idx).logits[:, :-1]  # its own loss is in single precision
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), idx[:, 1:].flatten())
    torch.testing.assert_close(loss, expected, rtol=0, atol=1e-12)
    loss.backward()
    expected.backward()
    theirs = oracle.transformer
    torch.testing.assert_close(model.wte.weight.grad, theirs.tokens_embed.weight.grad, rtol=0, atol=1e-12)
    torch.testing.assert_close(model.h[0].ln_1.bias.grad, theirs.h[0].ln_1.bias.grad, rtol=0, atol=1e-12)
    torch.testing.assert_close(model.h[1].mlp.c_fc.weight.grad, theirs.h[1].mlp.c_fc.weight.grad.T, rtol=0, atol=1e-12)


def test_without_biases_it_is_the_gpt_of_nanogpt() -> None:
    model, idx = made_model(NANO), made_tokens(NANO)
    assert not [name for name, _ in model.named_parameters() if name.endswith("bias")]
    weights = {name: p.detach() for name, p in model.named_parameters()}
    torch.testing.assert_close(model(idx)[0].detach(), by_formula(weights, NANO, idx), rtol=0, atol=1e-10)


def by_formula(weights: dict[str, Tensor], config: ModelConfig, idx: Tensor) -> Tensor:
    """Return the logits of a pre-norm GPT without biases and with exact GELU, token by token and head by head."""
    rows = []
    for sequence in idx:
        x = weights["wte.weight"][sequence] + weights["wpe.weight"][: len(sequence)]
        for layer in range(config.n_layer):
            w = {name.removeprefix(f"h.{layer}."): p for name, p in weights.items()}
            q, k, v = (normed(x, w["ln_1.weight"]) @ w["attn.c_attn.weight"].T).chunk(3, dim=-1)
            size = config.n_embd // config.n_head
            gathered = torch.zeros_like(x)
            for here in range(len(sequence)):
                for head in range(config.n_head):
                    of = slice(head * size, (head + 1) * size)
                    weight = torch.softmax(k[: here + 1, of] @ q[here, of] / size**0.5, 0)
                    gathered[here, of] = weight @ v[: here + 1, of]
            x = x + gathered @ w["attn.c_proj.weight"].T
            hidden = normed(x, w["ln_2.weight"]) @ w["mlp.c_fc.weight"].T
            x = x + (hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))) @ w["mlp.c_proj.weight"].T
        rows.append(normed(x, weights["ln_f.weight"]) @ weights["wte.weight"].T)
    return torch.stack(rows)


def normed(x: Tensor, gain: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return gain * centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()


def test_gpt1_has_as_many_parameters_as_published() -> None:
    shape = ModelConfig(40_478, 512, 12, 12, 768, norm="post", bias="all")
    with torch.device("meta"):
        assert GPT(shape).count_parameters() == 116_534_784


def test_gpt2_has_as_many_parameters_as_published() -> None:
    with torch.device("meta"):
        assert GPT(ModelConfig(50_257, 1024, 12, 12, 768, bias="all")).count_parameters() == 124_439_808


@pytest.mark.parametrize(("norm", "bias", "gelu"), [("post", "all", "tanh"), ("pre", "none", "exact")])
def test_each_form_trains_from_scratch_and_is_loaded_again(
    norm: str, bias: str, gelu: str, text_file: Path, runs: Path
) -> None:
    settings = {"corpus": str(text_file), "norm": norm, "bias": bias, "gelu": gelu}
    training = start(replace(preset("tiny"), settings, "test"), "form")
    before = training.objective.evaluate(0)["val_loss"]
    after = training.go(lambda step, note: None)["val_loss"]
    assert after < before - 0.2
    made = Run(runs / "form")
    described = described_model(made)
    assert (described.norm, described.bias, described.gelu) == (norm, bias, gelu)
    idx = made_tokens(described)
    with torch.no_grad():
        torch.testing.assert_close(load_model(made, 60)(idx)[0], training.objective.averaged.eval()(idx)[0])


def test_a_run_from_before_these_options_is_read_as_before(run: Run) -> None:
    shape = {name: value for name, value in run.info["model"].items() if name not in VARIANTS}
    write_json(run.path / "run.json", {**run.info, "model": shape})
    assert described_model(Run(run.path)) == described_model(run)
    write_json(run.path / "run.json", {**run.info, "model": {**shape, "norm": "sideways"}})
    with pytest.raises(InputError, match="norm must be one of pre, post; got 'sideways'"):
        load_model(Run(run.path), 0)
