"""Imported models have the logits of their own code, or of a plain copy of it; every tensor is accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from data.errors import InputError
from data.runs import Run
from data.tokens.vocabularies import learn_bpe
from probes.models.observation import observe
from tests.trainer.pretrained.readers.plain_gpts import (
    CONTEXT,
    N_HEAD,
    N_LAYER,
    ROWS,
    WIDTH,
    State,
    gptlab_logits,
    gptlab_state,
    nanogpt_logits,
    nanogpt_state,
)
from trainer.config import described_model
from trainer.loading import load_model
from trainer.model import GPT
from trainer.pretrained.__main__ import format_report
from trainer.pretrained.import_options import ImportOptions
from trainer.pretrained.importing import import_model, import_revisions

transformers = pytest.importorskip("transformers", reason="the oracles are Hugging Face's classes: pip install '.[hf]'")

SYMBOLS = "\n .abcdefghij"
IDX = torch.randint(ROWS, (3, CONTEXT), generator=torch.Generator().manual_seed(1))
IDS = ImportOptions(tokenizer="ids")
SHAPE = {"vocab_size": ROWS, "n_positions": CONTEXT, "n_embd": WIDTH, "n_layer": N_LAYER, "n_head": N_HEAD}
ENDS = {"bos_token_id": 0, "eos_token_id": 0}
CLASSES: dict[str, Any] = {
    "gpt1": lambda **more: transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(**SHAPE, **more)),
    "gpt2": lambda **more: transformers.GPT2LMHeadModel(transformers.GPT2Config(**SHAPE, **ENDS, **more)),
}


def made(kind: str, seed: int = 0, **more: Any) -> Any:
    """Build a small model of a class of Hugging Face with random weights, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = CLASSES[kind](attn_implementation="eager", **more).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def imported(folder: Path, *paths: Path, name: str = "made", options: ImportOptions = IDS) -> Run:
    return import_revisions([(None, path) for path in paths], name, model="made", options=options, folder=folder)


def logits_of(run: Run, step: int | None = None, idx: Tensor = IDX) -> Tensor:
    model = load_model(run, run.snapshots()[-1].step if step is None else step)
    with torch.no_grad():
        return model(idx)[0]


@pytest.mark.parametrize(("kind", "more"), [("gpt1", {}), ("gpt2", {}), ("gpt2", {"activation_function": "gelu"})])
def test_logits_hidden_states_and_attention_are_those_of_hugging_face(kind: str, more: Any, tmp_path: Path) -> None:
    oracle = made(kind, **more)
    oracle.save_pretrained(tmp_path / "model")
    run = imported(tmp_path, tmp_path / "model")
    model = load_model(run, 0)
    assert isinstance(model, GPT)
    seen = observe(model, IDX, attention=True, residual=True)
    with torch.no_grad():
        expected = oracle(IDX, output_attentions=True, output_hidden_states=True)
        seen.residual[-1] = model.ln_f(
            seen.residual[-1]
        )  # in Hugging Face's GPT-2 the last is normed; GPT-1 has no such norm
    torch.testing.assert_close(seen.logits, expected.logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.stack(seen.attention), torch.stack(expected.attentions), rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.stack(seen.residual), torch.stack(expected.hidden_states), rtol=0, atol=1e-5)
    assert run.info["parameters"] == sum(p.numel() for p in oracle.parameters())


def checkpoint(state: State, folder: Path, bias: bool, step: int = 250, name: str = "ckpt.pt", **args: Any) -> Path:
    """Write a checkpoint in the format of nanoGPT."""
    folder.mkdir(exist_ok=True)
    shape = {"n_layer": N_LAYER, "n_head": N_HEAD, "n_embd": WIDTH, "block_size": CONTEXT, "vocab_size": ROWS}
    content = {
        "model": state,
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []},
        "model_args": {**shape, "bias": bias, "dropout": 0.2, **args},
        "iter_num": step,
        "best_val_loss": torch.tensor(1.5),
        "config": {"dataset": "shakespeare_char"},
    }
    torch.save(content, folder / name)
    return folder / name


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
def test_a_checkpoint_of_nanogpt_has_the_logits_of_nanogpt(bias: bool, prefix: str, tmp_path: Path) -> None:
    file = checkpoint(nanogpt_state(bias, prefix=prefix), tmp_path / "out", bias)
    run = imported(tmp_path, file)
    assert [snapshot.step for snapshot in run.snapshots()] == [250]
    assert described_model(run).dropout == 0.2
    torch.testing.assert_close(logits_of(run), nanogpt_logits(nanogpt_state(bias), IDX), rtol=0, atol=1e-5)
    tanh = imported(tmp_path, file, name="tanh", options=ImportOptions(tokenizer="ids", gelu="tanh"))
    assert (logits_of(tanh) - logits_of(run)).abs().max() > 1e-4


def gptlab(folder: Path, bias: bool = False, vocabulary: str | None = SYMBOLS) -> Path:
    """Write a folder in the format of GPTLab's save_pretrained."""
    folder.mkdir()
    torch.save(gptlab_state(bias), folder / "pytorch_model.bin")
    shape = {"n_layer": N_LAYER, "n_head": N_HEAD, "n_embd": WIDTH, "max_len": CONTEXT, "vocab_size": ROWS}
    (folder / "config.json").write_text(json.dumps({**shape, "bias": bias, "dropout": 0.2, "max_iters": 5000}))
    if vocabulary is not None:
        (folder / "vocab.txt").write_text(vocabulary, encoding="utf-8")
    return folder


@pytest.mark.parametrize("bias", [True, False])
def test_a_model_of_gptlab_has_the_logits_of_gptlab(bias: bool, tmp_path: Path) -> None:
    run = imported(tmp_path, gptlab(tmp_path / "model", bias), options=ImportOptions())
    assert run.tokenizer.labels == list(SYMBOLS)
    assert [snapshot.step for snapshot in run.snapshots()] == [5000]
    expected = gptlab_logits(gptlab_state(bias), IDX)
    # Its norm adds 1e-5 to a deviation of 0.4 here, and ours cannot: the difference is within some ten-thousandths.
    torch.testing.assert_close(logits_of(run) / expected.std(), expected / expected.std(), rtol=0, atol=5e-4)


def test_the_norm_of_gptlab_is_distinguished_from_that_of_pytorch(tmp_path: Path) -> None:
    """Copied unchanged, its gains would be off by sqrt(16 / 15), which the tolerance does not allow."""
    run = imported(tmp_path, gptlab(tmp_path / "model"), options=ImportOptions())
    gain = gptlab_state()["transformer.ln_f.a_2"]
    torch.testing.assert_close(
        torch.from_numpy(run.snapshot(5000).tensor("ln_f.weight").copy()), gain * (15 / 16) ** 0.5
    )
    plain = {name.replace("a_2", "weight").replace("b_2", "bias"): tensor for name, tensor in gptlab_state().items()}
    torch.save(plain, tmp_path / "model" / "pytorch_model.bin")
    assert (
        logits_of(imported(tmp_path, tmp_path / "model", name="plain", options=ImportOptions())) - logits_of(run)
    ).abs().max() > 1e-2


def sources(folder: Path) -> dict[str, tuple[Path, set[str]]]:
    """Write a model of each family; return its path and the names of all its tensors."""
    for kind in CLASSES:
        model = made(kind)
        model.save_pretrained(folder / kind)
        (folder / kind / "model.safetensors").unlink()
        masks = {f"transformer.h.{i}.attn.bias": torch.ones(1, 1, CONTEXT, CONTEXT).tril() for i in range(N_LAYER)}
        torch.save(model.state_dict() | masks, folder / kind / "pytorch_model.bin")
    named = {kind: set(torch.load(folder / kind / "pytorch_model.bin")) for kind in CLASSES}
    return {
        **{kind: (folder / kind, named[kind]) for kind in CLASSES},
        "nanogpt": (checkpoint(nanogpt_state(True), folder / "out", True), set(nanogpt_state(True))),
        "reference": (gptlab(folder / "gptlab"), set(gptlab_state())),
    }


def test_every_tensor_of_a_source_has_a_row_and_every_tensor_of_ours_comes_from_one(tmp_path: Path) -> None:
    for kind, (path, names) in sources(tmp_path).items():
        run = imported(tmp_path, path, name=f"of-{kind}")
        rows = run.info["source"]["tensors"]
        assert run.info["source"]["format"] == kind
        assert len(rows) == len(names)
        assert {row["source"] for row in rows} == names
        assert {row["ours"] for row in rows} - {None} == set(run.snapshots()[0].tensors())
        left_out = [row for row in rows if row["ours"] is None]
        assert all(row["note"].startswith("ignored: the causal mask") for row in left_out)
        assert [row["source"] for row in left_out] == run.info["source"]["left_out"]
        assert len(left_out) == (0 if kind == "nanogpt" else N_LAYER)


def test_weights_in_several_files_and_in_half_precision_are_read(tmp_path: Path) -> None:
    oracle = made("gpt2").half()
    oracle.save_pretrained(tmp_path / "model", max_shard_size="8KB")
    assert len(list((tmp_path / "model").glob("*.safetensors"))) > 1
    run = imported(tmp_path, tmp_path / "model")
    assert run.info["source"]["dtype"] == "float16"
    stored = run.snapshot(0).tensors()
    np.testing.assert_array_equal(stored["h.1.mlp.c_fc.weight"], oracle.transformer.h[1].mlp.c_fc.weight.T.detach())
    with torch.no_grad():
        torch.testing.assert_close(logits_of(run), oracle.float()(IDX).logits, rtol=0, atol=1e-5)
    made("gpt2").bfloat16().save_pretrained(tmp_path / "brain")
    assert imported(tmp_path, tmp_path / "brain", name="of-brain").info["source"]["dtype"] == "bfloat16"


def test_revisions_become_the_snapshots_of_one_run_and_gaps_are_named(tmp_path: Path) -> None:
    for step in (0, 8, 64):
        made("gpt2", seed=step).save_pretrained(tmp_path / f"step{step}")
    located = [(step, tmp_path / f"step{step}") for step in (64, 0, 16, 8)]
    with pytest.warns(UserWarning, match="there is no revision of step 16 at .*step16: it is left out"):
        run = import_revisions(located, "made", model="made", options=IDS, folder=tmp_path)
    assert [snapshot.step for snapshot in run.snapshots()] == [0, 8, 64]
    assert run.info["source"]["missing_steps"] == [16]
    for step in (0, 8, 64):
        with torch.no_grad():
            torch.testing.assert_close(logits_of(run, step), made("gpt2", seed=step)(IDX).logits, rtol=0, atol=1e-5)


def test_one_call_imports_a_model_under_its_own_name(tmp_path: Path) -> None:
    for step in (0, 8):
        made("gpt2", seed=step).save_pretrained(tmp_path / "small-gpt2" / f"step{step}")
    done: list[int] = []
    run = import_model(
        tmp_path / "small-gpt2",
        revisions="step0,step8",
        tokenizer="ids",
        folder=tmp_path / "runs",
        progress=done.append,
    )
    assert run.name == "small-gpt2"
    assert done == [1, 2]
    assert [snapshot.step for snapshot in run.snapshots()] == [0, 8]
    with torch.no_grad():
        torch.testing.assert_close(logits_of(run, 8), made("gpt2", seed=8)(IDX).logits, rtol=0, atol=1e-5)


def test_revisions_with_equal_weights_are_named_in_one_warning_and_marked_in_the_run(tmp_path: Path) -> None:
    seeds = {0: 1, 8: 1, 16: 2, 32: 3, 64: 2, 128: 2}
    for step, seed in seeds.items():
        made("gpt2", seed=seed).save_pretrained(tmp_path / "family" / f"step{step}")
    with pytest.warns(
        UserWarning, match=r"^3 of 6 revisions have the weights .*\(steps 0 = 8, 16 = 64 = 128\)"
    ) as warned:
        run = import_model(tmp_path / "family", tokenizer="ids", folder=tmp_path / "runs")
    assert len(warned) == 1
    assert run.info["source"]["identical_steps"] == [[0, 8], [16, 64, 128]]
    assert "6 (steps 0 to 128), 3 of them copies of earlier ones" in run._repr_html_()
    assert "of these, copies of earlier ones: 3;" in format_report(run)


def test_a_warning_of_many_copies_is_one_short_line(tmp_path: Path) -> None:
    made("gpt2").save_pretrained(tmp_path / "model")
    located = [(step, tmp_path / "model") for step in range(40)]
    with pytest.warns(UserWarning, match=r"^39 of 40 revisions .*0 = 1 = 2 = 3 and 36 more") as warned:
        import_revisions(located, "same", model="model", options=ImportOptions(tokenizer="ids"), folder=tmp_path)
    assert len(str(warned[0].message)) < 220


def test_different_revisions_give_no_warning_and_no_mark(tmp_path: Path) -> None:
    for step in (0, 8):
        made("gpt2", seed=step).save_pretrained(tmp_path / "family" / f"step{step}")
    run = import_model(tmp_path / "family", tokenizer="ids", folder=tmp_path / "runs")
    assert "identical_steps" not in run.info["source"]


def test_the_steps_of_nanogpt_checkpoints_are_read_from_them(tmp_path: Path) -> None:
    files = [
        checkpoint(nanogpt_state(True, seed), tmp_path / "out", True, step, f"{step}.pt")
        for seed, step in ((1, 100), (2, 50))
    ]
    run = imported(tmp_path, *files)
    assert [snapshot.step for snapshot in run.snapshots()] == [50, 100]
    torch.testing.assert_close(logits_of(run, 50), nanogpt_logits(nanogpt_state(True, 2), IDX), rtol=0, atol=1e-5)
    with pytest.raises(InputError, match=r"are both of step 100: name the steps"):
        imported(tmp_path, files[0], files[0], name="twice")


def test_a_shorter_context_keeps_the_first_positions_and_is_noted(tmp_path: Path) -> None:
    made("gpt1").save_pretrained(tmp_path / "model")
    whole = imported(tmp_path, tmp_path / "model")
    run = imported(tmp_path, tmp_path / "model", name="short", options=ImportOptions(tokenizer="ids", context=6))
    assert described_model(run).block_size == 6
    torch.testing.assert_close(logits_of(run, idx=IDX[:, :6]), logits_of(whole)[:, :6])
    row = next(row for row in run.info["source"]["tensors"] if row["ours"] == "wpe.weight")
    assert row["note"] == "its first 6 rows of 10, as was asked for"
    with pytest.raises(InputError, match="the context must be from 1 to the model's own 10; got 11"):
        imported(tmp_path, tmp_path / "model", name="long", options=ImportOptions(tokenizer="ids", context=11))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"scale_attn_by_inverse_layer_idx": True}, "its scale_attn_by_inverse_layer_idx is True"),
        ({"activation_function": "relu"}, "its activation is 'relu' and not GELU"),
        ({"n_inner": 24}, "its MLPs are 24 wide and not 64"),
        ({"tie_word_embeddings": False}, "its output head 'lm_head.weight' is not the token table"),
    ],
)
def test_a_gpt2_of_another_form_keeps_its_class_and_a_warning_says_why(more: Any, reason: str, tmp_path: Path) -> None:
    oracle = made("gpt2", **more)
    oracle.save_pretrained(tmp_path / "model")
    with pytest.warns(UserWarning, match=f"made is kept in its own class, as our GPT has not its form: {reason}"):
        run = imported(tmp_path, tmp_path / "model")
    assert run.info["model"]["architecture"] == "GPT2LMHeadModel"
    with torch.no_grad():
        torch.testing.assert_close(logits_of(run), oracle(IDX).logits, rtol=0, atol=1e-5)


def test_an_untied_head_is_kept_though_the_configuration_calls_it_tied(tmp_path: Path) -> None:
    made("gpt2").save_pretrained(tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    tensors = load_file(file)
    tensors["lm_head.weight"] = tensors["transformer.wte.weight"] + 1
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.warns(UserWarning, match="its output head 'lm_head.weight' is not the token table"):
        run = imported(tmp_path, tmp_path / "model")
    with torch.no_grad():
        expected = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "model")(IDX).logits
    assert (expected - made("gpt2")(IDX).logits).abs().max() > 0.1
    torch.testing.assert_close(logits_of(run), expected, rtol=0, atol=1e-5)


def test_a_width_that_is_no_multiple_of_the_heads_is_refused(tmp_path: Path) -> None:
    made("gpt2").save_pretrained(tmp_path / "gpt2")
    config = json.loads((tmp_path / "gpt2" / "config.json").read_text())
    (tmp_path / "gpt2" / "config.json").write_text(json.dumps({**config, "n_head": 3}))
    file = checkpoint(nanogpt_state(True), tmp_path / "out", True, n_head=3)
    for path in (tmp_path / "gpt2", file):
        with pytest.raises(InputError, match="n_embd must be a multiple of n_head; got n_embd 16 and n_head 3"):
            imported(tmp_path, path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"resid_pdrop": None}, "must give resid_pdrop as a number of 0 or more; it has None"),
        ({"layer_norm_epsilon": "x"}, "must give layer_norm_epsilon as a number of 0 or more; it has 'x'"),
        ({"tie_word_embeddings": False}, "lacks the tensor 'lm_head.weight', and its config.json says that it has one"),
    ],
)
def test_an_invalid_configuration_is_refused(more: Any, message: str, tmp_path: Path) -> None:
    made("gpt2").save_pretrained(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    (tmp_path / "model" / "config.json").write_text(json.dumps(config | more))
    with pytest.raises(InputError, match=message):
        imported(tmp_path, tmp_path / "model")


@pytest.mark.parametrize("keep_class", [False, True])
def test_numbers_that_are_not_finite_are_warned_of(keep_class: bool, tmp_path: Path) -> None:
    model = made("gpt2")
    model.transformer.ln_f.bias.data[0] = torch.nan
    model.save_pretrained(tmp_path / "model")
    with pytest.warns(UserWarning, match="not finite in 1 of its tensors, '(transformer.)?ln_f.bias' the first"):
        imported(tmp_path, tmp_path / "model", options=ImportOptions(tokenizer="ids", keep_class=keep_class))


@pytest.mark.parametrize("keep_class", [False, True])
def test_numbers_of_eight_bits_are_refused(keep_class: bool, tmp_path: Path) -> None:
    made("gpt2").save_pretrained(tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    save_file(
        {name: tensor.to(torch.float8_e4m3fn) for name, tensor in load_file(file).items()}, file, {"format": "pt"}
    )
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    (tmp_path / "model" / "config.json").write_text(json.dumps(config | {"dtype": "float8_e4m3fn"}))
    with pytest.raises(InputError, match=r"(?i)float8_e4m3fn"):
        imported(tmp_path, tmp_path / "model", options=ImportOptions(tokenizer="ids", keep_class=keep_class))
    assert not (tmp_path / "made").exists()


def test_a_class_is_kept_on_request(tmp_path: Path) -> None:
    made("gpt2").save_pretrained(tmp_path / "model")
    run = imported(tmp_path, tmp_path / "model", options=ImportOptions(tokenizer="ids", keep_class=True))
    assert run.info["source"]["format"] == "hf"
    assert {row["source"] for row in run.info["source"]["tensors"]} == set(run.snapshot(0).tensors())
    torch.testing.assert_close(
        logits_of(run), logits_of(imported(tmp_path, tmp_path / "model", name="ours")), rtol=0, atol=1e-5
    )


def test_a_vocabulary_beside_the_weights_is_found_and_must_fit(tmp_path: Path) -> None:
    tokenizer = learn_bpe("ab ab abc abc cab cab " * 9, 260)
    shape = transformers.GPT2Config(**{**SHAPE, "vocab_size": 264}, **ENDS)
    transformers.GPT2LMHeadModel(shape).save_pretrained(tmp_path / "step1")
    (tmp_path / "step1" / "tokenizer.json").write_text(tokenizer.definition)
    run = import_revisions([(1, tmp_path / "step1")], "made", model="made", folder=tmp_path)
    assert run.tokenizer.labels == tokenizer.labels
    assert run.tokenizer.vocab_size < described_model(run).vocab_size  # the rest are rows to fill up
    made("gpt2").save_pretrained(tmp_path / "small")
    (tmp_path / "small" / "tokenizer.json").write_text(tokenizer.definition)
    with pytest.raises(InputError, match="tokens does not fit the weights, whose token table has 13 rows"):
        imported(tmp_path, tmp_path / "small", name="misfit", options=ImportOptions())
    assert not (tmp_path / "misfit").exists()
