"""Models of Hugging Face as runs: every probe agrees with the class, for all kinds of positions, heads and norms."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
import xarray as xr

from data.corpora.catalog import load_corpus
from data.errors import InputError, NotApplicableError
from data.runs import Run
from data.tokens.tokenizers import CharTokenizer
from probes.models.attention import attention_maps
from probes.models.heads import copying, head_scores, previous_token
from probes.models.logits import logit_lens, loss_by_position, next_token_distribution
from probes.models.observation import observe, silenced
from probes.registry import PROBES, ProbeRequest, measure
from probes.tables.embeddings import lazy_table, position_embeddings, token_embeddings
from probes.texts import validation_windows
from tests.conftest import made_text
from tests.probes.made_run import SYMBOLS
from tests.probes.test_contract import GLOSSARY, contents, random_states
from trainer.loading import load_model
from trainer.pretrained.__main__ import format_report
from trainer.pretrained.hf_import import import_hf_model
from trainer.pretrained.hf_model import HFModel

ROWS = len(SYMBOLS) + 5
PROMPT = "não mo co ba"
CLASSES = {"vocab_size": ROWS, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": None}
WIDE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
GROUPED = WIDE | {"num_key_value_heads": 2, "max_position_embeddings": 24}
CONFIGS: dict[str, Any] = {
    "neox": lambda: transformers.GPTNeoXConfig(
        **CLASSES, **WIDE, max_position_embeddings=24, tie_word_embeddings=False, use_parallel_residual=True
    ),
    "llama": lambda: transformers.LlamaConfig(**CLASSES, **GROUPED),
    "qwen2": lambda: transformers.Qwen2Config(**CLASSES, **GROUPED, tie_word_embeddings=True),
    "mistral": lambda: transformers.MistralConfig(**CLASSES, **GROUPED, sliding_window=5),
    "gpt2": lambda: transformers.GPT2Config(
        **CLASSES, n_positions=24, n_embd=32, n_layer=3, n_head=4, resid_pdrop=0.1, attn_pdrop=0.1
    ),
    "opt": lambda: transformers.OPTConfig(
        **{**CLASSES, "pad_token_id": 1},
        hidden_size=32,
        ffn_dim=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=24,
        word_embed_proj_dim=16,
    ),
}
ROTARY = ("neox", "llama", "qwen2", "mistral")


def made(kind: str, seed: int = 0) -> Any:
    """Build a small model of a class with weights so large that every part affects the result."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = CONFIGS[kind]()
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return model.eval()


def imported(folder: Path, kind: str, steps: tuple[int, ...] = (0, 512), **options: Any) -> Run:
    """Import a small model, another one at each step."""
    text = folder / "made.txt"
    text.write_text(made_text(3000), encoding="utf-8")
    for step in steps:
        made(kind, step).save_pretrained(folder / f"step{step}")
    sources = {step: folder / f"step{step}" for step in steps}
    run = import_hf_model(sources, kind, tokenizer=CharTokenizer(SYMBOLS).to_json(), folder=folder, **options)
    run.info["corpus"] = {"name": str(text), "sha256": load_corpus(text).sha256}  # so that windows can be cut from it
    return run


@pytest.fixture(scope="module", params=list(CONFIGS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def run(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return imported(tmp_path_factory.mktemp(kind), kind)


def ids() -> torch.Tensor:
    return torch.tensor([[SYMBOLS.index(symbol) for symbol in PROMPT]])


def test_every_tensor_is_read_back_and_tied_ones_are_stored_once(run: Run, kind: str) -> None:
    oracle = made(kind, 512)
    stored = run.snapshot(512).tensors()
    assert stored.keys() == dict(oracle.named_parameters()).keys()
    for name, parameter in oracle.named_parameters():
        np.testing.assert_array_equal(stored[name], parameter.detach())
    assert run.info["source"]["left_out"] == []
    assert run.info["parameters"] == sum(p.numel() for p in oracle.parameters())


def test_logits_and_probabilities_are_those_of_the_class(run: Run, kind: str) -> None:
    found = next_token_distribution(run, PROMPT)
    assert found["token"].values[-1] == f"[unused {ROWS - 1}]"
    for step in (0, 512):
        with torch.no_grad():
            logits = made(kind, step)(ids()).logits
            torch.testing.assert_close(load_model(run, step)(ids())[0], logits, rtol=0, atol=1e-5)
        np.testing.assert_allclose(found.sel(step=step), logits[0, -1].softmax(-1), rtol=0, atol=1e-5)


def test_attention_maps_are_those_of_the_class(run: Run, kind: str) -> None:
    maps = attention_maps(run, PROMPT)
    assert maps.shape == (2, 3, 4, len(PROMPT), len(PROMPT))  # a map for each query head, grouped keys or not
    with torch.no_grad():
        expected = torch.cat(made(kind, 512)(ids(), output_attentions=True).attentions)
    np.testing.assert_allclose(maps.sel(step=512), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(maps.sum("key"), 1, atol=1e-5)
    assert not maps.values[..., np.triu_indices(len(PROMPT), 1)[0], np.triu_indices(len(PROMPT), 1)[1]].any()


def test_the_lens_ends_at_the_model_and_begins_as_its_hidden_states_do(run: Run, kind: str) -> None:
    model = load_model(run, 512)
    stream = observe(model, ids(), residual=True).residual
    with torch.no_grad():
        found = made(kind, 512)(ids(), output_hidden_states=True)
    assert len(stream) == 4
    for mine, theirs in zip(stream[:-1], found.hidden_states[:-1], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(model.unembed(stream[-1]), found.logits, rtol=0, atol=1e-5)
    lens = logit_lens(run, PROMPT)
    np.testing.assert_allclose(
        lens["probability"].isel(layer=-1), next_token_distribution(run, PROMPT), rtol=1e-4, atol=1e-6
    )
    assert (lens["divergence"].isel(layer=0) > 1e-4).any()


def test_a_layer_in_between_is_read_through_final_norm_and_head(tmp_path: Path) -> None:
    run, oracle = imported(tmp_path, "llama", (0,)), made("llama")
    with torch.no_grad():
        state = oracle(ids(), output_hidden_states=True).hidden_states[1]
        expected = oracle.lm_head(oracle.model.norm(state))
        torch.testing.assert_close(load_model(run, 0).unembed(state), expected, rtol=0, atol=1e-5)


def test_an_ablated_head_is_one_whose_columns_of_the_projection_are_zero(run: Run, kind: str) -> None:
    model, oracle = load_model(run, 0), made(kind)
    names = {"neox": "dense", "gpt2": "c_proj", "opt": "out_proj"}
    block = (oracle.gpt_neox.layers if kind == "neox" else oracle.transformer.h if kind == "gpt2" else
             oracle.model.decoder.layers if kind == "opt" else oracle.model.layers)[1]  # fmt: skip
    attention = block.attention if kind == "neox" else block.attn if kind == "gpt2" else block.self_attn
    weight = getattr(attention, names.get(kind, "o_proj")).weight
    with torch.no_grad():
        (weight.T if kind != "gpt2" else weight)[16:24] = 0  # head 2 of 4, eight channels each
        with silenced(model, 1, 2):
            torch.testing.assert_close(model(ids())[0], oracle(ids()).logits, rtol=0, atol=1e-5)
        torch.testing.assert_close(model(ids())[0], made(kind)(ids()).logits, rtol=0, atol=1e-5)


def test_scores_and_losses_are_those_of_the_class_on_the_same_windows(run: Run, kind: str) -> None:
    windows = torch.from_numpy(validation_windows(run, 64))
    with torch.no_grad():
        found = made(kind)(windows[:, :24], output_attentions=True)
    expected = torch.stack([previous_token(layer).mean(0) for layer in found.attentions])
    scores = head_scores(run)
    np.testing.assert_allclose(scores["previous_token"].sel(step=0), expected, rtol=0, atol=1e-5)
    xr.testing.assert_allclose(head_scores(run, layers=[0, 1]), scores.sel(layer=[0, 1]), rtol=1e-5)
    losses = copying(run)
    assert losses["loss_without"].shape == (2, 3, 4)
    assert np.isfinite(losses["loss_without"]).all()
    assert float(abs(losses["loss_without"] - losses["loss"]).max()) > 1e-3
    assert loss_by_position(run)["loss"].shape == (2, 24)


def test_tables_are_those_of_the_class(run: Run, kind: str) -> None:
    oracle = made(kind, 512)
    np.testing.assert_array_equal(token_embeddings(run).sel(step=512), oracle.get_input_embeddings().weight.detach())
    if kind in ROTARY:
        assert run.info["tensors"]["position_table"] is None
        with pytest.raises(NotApplicableError, match="has no position table: its model does not use one") as mistake:
            position_embeddings(run)
        assert "\n" not in str(mistake.value)
        return
    table = oracle.transformer.wpe.weight if kind == "gpt2" else oracle.model.decoder.embed_positions.weight[2:]
    np.testing.assert_array_equal(position_embeddings(run).sel(step=512), table.detach())
    assert position_embeddings(run).sizes["position"] == 24
    xr.testing.assert_identical(lazy_table(run, "positions").compute(), position_embeddings(run))


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_applies_or_is_refused(name: str, neox: Run) -> None:
    request = ProbeRequest(prompt=PROMPT, token="a", highlight=("vowels",))
    if name.startswith("position"):
        with pytest.raises(NotApplicableError, match="no position table"):
            measure(neox, name, request)
        return
    before, states = contents(neox), random_states()
    found = measure(neox, name, request)
    xr.testing.assert_identical(found, measure(neox, name, request))
    assert (contents(neox), random_states()) == (before, states)
    assert {str(dim) for dim in found.dims} <= GLOSSARY
    assert list(found["step"].values) == [0, 512]
    assert list(found["sha256"].values) == [snapshot.sha256 for snapshot in neox.snapshots()]
    for variable in found.data_vars.values() if isinstance(found, xr.Dataset) else [found]:
        if np.issubdtype(variable.dtype, np.number):
            assert np.isfinite(variable.values).all(), variable.name


@pytest.fixture(scope="module")
def neox(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return imported(tmp_path_factory.mktemp("measured"), "neox")


def test_half_precision_is_kept_and_bfloat16_widened(tmp_path: Path) -> None:
    for name, dtype, stored in (("half", torch.float16, np.float16), ("brain", torch.bfloat16, np.float32)):
        made("neox").to(dtype).save_pretrained(tmp_path / name)
        run = import_hf_model({0: tmp_path / name}, f"run-{name}", tokenizer=TOKENIZER, folder=tmp_path)
        tensors = run.snapshot(0).tensors()
        assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(stored)}
        assert run.info["source"]["dtype"] == str(dtype).removeprefix("torch.")
        widened = load_model(run, 0)
        assert isinstance(widened, HFModel)
        for key, tensor in made("neox").to(dtype).float().named_parameters():
            assert torch.equal(widened.weights()[key], tensor)


TOKENIZER = CharTokenizer(SYMBOLS).to_json()


def test_the_context_is_shortened_on_request(tmp_path: Path) -> None:
    run = imported(tmp_path, "neox", (0,), context=8)
    assert run.info["model"]["block_size"] == 8
    with pytest.raises(InputError, match="the model sees at most 8"):
        attention_maps(run, PROMPT)
    with pytest.raises(InputError, match="from 1 to the model's own 24; got 25"):
        import_hf_model({0: tmp_path / "step0"}, "other", tokenizer=TOKENIZER, context=25, folder=tmp_path)


class Evil:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_that_would_run_code_is_refused_and_nothing_run(tmp_path: Path) -> None:
    made("neox").config.save_pretrained(tmp_path / "model")
    messages = []
    for protocol in (2, 4):
        (tmp_path / "model" / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(tmp_path / "touched"), protocol))
        with pytest.raises(
            InputError, match=r"its weights are a pickle that .* is refused, .* nothing of it ran"
        ) as error:
            import_hf_model({0: tmp_path / "model"}, "evil", tokenizer=TOKENIZER, folder=tmp_path)
        messages.append(str(error.value))
    assert "weights_only" not in "".join(messages)  # torch advises to run it
    assert not (tmp_path / "touched").exists()
    assert not (tmp_path / "evil").exists()


def test_a_misfit_is_named_and_leaves_no_run(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    made("neox").save_pretrained(tmp_path / "a")
    tensors = load_file(tmp_path / "a" / "model.safetensors")
    del tensors["gpt_neox.layers.1.attention.dense.bias"]
    save_file(tensors, tmp_path / "a" / "model.safetensors", metadata={"format": "pt"})
    made("llama").save_pretrained(tmp_path / "b")
    made("neox").save_pretrained(tmp_path / "c")
    for sources, message in (
        ({0: tmp_path / "a"}, r"it lacks 'gpt_neox.layers.1.attention.dense.bias' \(of 1 faults\)"),
        (
            {0: tmp_path / "b", 1: tmp_path / "c"},
            "the revision of step 1 is another model than the first: architecture is 'GPTNeoXForCausalLM'",
        ),
        ({0: tmp_path / "none"}, "there is no model at"),
        ({}, "there is no model: give a folder"),
    ):
        with pytest.raises(InputError, match=message) as mistake:
            import_hf_model(sources, "wrong", tokenizer=TOKENIZER, folder=tmp_path)
        assert "\n" not in str(mistake.value)
        assert not (tmp_path / "wrong").exists()


def test_a_missing_revision_is_left_out_and_named(tmp_path: Path) -> None:
    for step in (0, 8):
        made("neox", step).save_pretrained(tmp_path / f"step{step}")
    sources = {step: tmp_path / f"step{step}" for step in (8, 4, 0)}
    with pytest.warns(UserWarning, match="there is no revision of step 4 at .*step4: it is left out"):
        run = import_hf_model(sources, "gaps", tokenizer=TOKENIZER, folder=tmp_path)
    assert [snapshot.step for snapshot in run.snapshots()] == [0, 8]
    assert run.info["source"]["missing_steps"] == [4]


def test_a_model_without_heads_is_refused(tmp_path: Path) -> None:
    shape = transformers.MambaConfig(vocab_size=ROWS, hidden_size=16, num_hidden_layers=2, state_size=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.AutoModelForCausalLM.from_config(shape).save_pretrained(tmp_path / "mamba")
    with pytest.raises(InputError, match="MambaForCausalLM has no attention heads"):
        import_hf_model({0: tmp_path / "mamba"}, "made", tokenizer=TOKENIZER, folder=tmp_path)


def test_tensors_that_transformers_joins_are_not_reported_as_left_out(tmp_path: Path) -> None:
    shape = transformers.MixtralConfig(**CLASSES, **GROUPED, num_local_experts=2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.MixtralForCausalLM(shape).save_pretrained(tmp_path / "mixtral")
    run = import_hf_model({0: tmp_path / "mixtral"}, "made", tokenizer=TOKENIZER, folder=tmp_path)
    assert run.info["source"]["left_out"] == []
    report = format_report(run)
    assert "tensors left out: 0\njoined or split by transformers, or left out: 18\n" in report


SMALL = {"vocab_size": ROWS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
OTHERS: dict[str, Any] = {
    "bert": lambda: transformers.BertConfig(**SMALL, intermediate_size=48, max_position_embeddings=24),
    "xlnet": lambda: transformers.XLNetConfig(vocab_size=ROWS, d_model=32, n_layer=2, n_head=4, d_inner=48),
    "bloom": lambda: transformers.BloomConfig(vocab_size=ROWS, hidden_size=32, n_layer=2, n_head=4),
}


def saved(kind: str, folder: Path) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.AutoModelForCausalLM.from_config(OTHERS[kind]()).save_pretrained(folder / kind)
    return folder / kind


@pytest.mark.parametrize("kind", ["bert", "xlnet"])
def test_a_model_that_attends_to_later_tokens_is_refused(kind: str, tmp_path: Path) -> None:
    path = saved(kind, tmp_path)
    with pytest.raises(
        InputError, match="LMHeadModel that sees the tokens that come after: only models that look back"
    ):
        import_hf_model({0: path}, "made", tokenizer=TOKENIZER, folder=tmp_path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("context", [0, -5])
def test_a_context_below_1_is_refused_where_the_class_has_no_limit(context: int, tmp_path: Path) -> None:
    path = saved("bloom", tmp_path)
    with pytest.raises(InputError, match=f"the context must be 1 or more; got {context}"):
        import_hf_model({0: path}, "made", tokenizer=TOKENIZER, folder=tmp_path, context=context)
    run = import_hf_model({0: path}, "made", tokenizer=TOKENIZER, folder=tmp_path, context=2000)
    assert run.info["model"]["block_size"] == 2000


def test_a_model_without_a_final_norm_whose_blocks_return_lists(tmp_path: Path) -> None:
    shape = transformers.OpenAIGPTConfig(vocab_size=ROWS, n_embd=32, n_layer=2, n_head=4, n_positions=24)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        oracle = transformers.AutoModelForCausalLM.from_config(shape, attn_implementation="eager").eval()
    oracle.save_pretrained(tmp_path / "first")
    run = import_hf_model({0: tmp_path / "first"}, "gpt1", tokenizer=TOKENIZER, folder=tmp_path)
    assert run.info["tensors"]["position_table"] == "transformer.positions_embed.weight"
    model = load_model(run, 0)
    seen = observe(model, ids(), attention=True, residual=True)
    with torch.no_grad():
        found = oracle(ids(), output_attentions=True, output_hidden_states=True)
        torch.testing.assert_close(model.unembed(seen.residual[-1]), found.logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.stack(seen.residual), torch.stack(found.hidden_states), rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.cat(seen.attention), torch.cat(found.attentions), rtol=0, atol=1e-5)
