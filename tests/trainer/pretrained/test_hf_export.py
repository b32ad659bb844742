"""An exported model has the logits of its snapshot, and its tokenizer the ids."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.runs import Run, create_run, write_snapshot
from data.tokens.special_tokens import with_special_tokens
from data.tokens.tokenizers import CharTokenizer, Tokenizer, WordList
from data.tokens.vocabularies import learn_bpe
from tests.conftest import made_text
from tests.trainer.test_model import SMALL, made_model, made_tokens
from trainer.config import ModelConfig, described_model
from trainer.generation.text_generation import generate_text
from trainer.loading import load_model
from trainer.pretrained.hf_export import export_model, tokenizer_definition
from trainer.pretrained.import_options import ImportOptions
from trainer.pretrained.importing import import_model, import_revisions

transformers = pytest.importorskip("transformers", reason="the oracles are Hugging Face's classes: pip install '.[hf]'")

FILES = [
    *("README.md", "config.json", "generation_config.json", "model.safetensors"),
    *("tokenizer.json", "tokenizer_config.json"),
]
LETTERS = CharTokenizer("\n abcdefghi")


def run_of(config: ModelConfig, folder: Path, tokenizer: Tokenizer = LETTERS) -> Run:
    """Write a run of one random model."""
    info = {
        "model": vars(config),
        "tokenizer": tokenizer.to_json(),
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
    }
    run = create_run("made", info, folder)
    weights = made_model(config, torch.float32).named_parameters()
    write_snapshot(run, 7, {name: p.detach().numpy() for name, p in weights})
    return run


def varied(**choices: Any) -> ModelConfig:
    return ModelConfig(**{**vars(SMALL), **choices})


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (SMALL, "GPT2LMHeadModel"),
        (varied(bias="all"), "GPT2LMHeadModel"),
        (varied(bias="none", gelu="exact", norm_eps=1e-3), "GPT2LMHeadModel"),
        (varied(norm="post", bias="all"), "OpenAIGPTLMHeadModel"),
        (varied(norm="post", dropout=0.3), "OpenAIGPTLMHeadModel"),
    ],
    ids=["ours", "GPT-2", "nanoGPT", "GPT-1", "post-norm with few biases"],
)
def test_from_pretrained_gives_the_logits_of_the_snapshot(config: ModelConfig, expected: str, tmp_path: Path) -> None:
    run, idx = run_of(config, tmp_path), made_tokens(config)
    exported = export_model(run, tmp_path / "out")
    assert expected in exported.description
    assert exported.files == FILES
    theirs, found = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert type(theirs).__name__ == expected
    assert not any(found[fault] for fault in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(idx).logits, load_model(run, 7)(idx)[0], rtol=0, atol=1e-5)
    assert theirs.config.resid_pdrop == config.dropout


def test_export_and_import_give_the_same_logits(tmp_path: Path) -> None:
    for config in (SMALL, varied(norm="post")):
        run = run_of(config, tmp_path / config.norm)
        export_model(run, tmp_path / config.norm / "out", step=7)
        back = import_revisions(
            [(7, tmp_path / config.norm / "out")],
            "back",
            model="out",
            options=ImportOptions(),
            folder=tmp_path / config.norm,
        )
        assert described_model(back).bias == "all"  # those that ours had not are zeros
        idx = made_tokens(config)
        with torch.no_grad():
            torch.testing.assert_close(load_model(back, 7)(idx)[0], load_model(run, 7)(idx)[0], rtol=0, atol=1e-6)
        assert back.tokenizer.labels == run.tokenizer.labels


def test_a_model_in_its_own_class_is_exported_as_that_class(tmp_path: Path) -> None:
    shape = transformers.LlamaConfig(
        vocab_size=11,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=24,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        oracle = transformers.LlamaForCausalLM(shape).eval()
    oracle.save_pretrained(tmp_path / "in")
    run = import_revisions(
        [(0, tmp_path / "in")], "llama", model="in", options=ImportOptions(tokenizer="ids"), folder=tmp_path
    )
    exported = export_model(run, tmp_path / "out")
    assert "no tokenizer was written" in exported.remark
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(made_tokens()).logits, oracle(made_tokens()).logits, rtol=0, atol=1e-6)


BPE = learn_bpe(made_text(3000), 300)


@pytest.mark.parametrize(
    "tokenizer",
    [CharTokenizer("".join(sorted(set(made_text(3000))))), BPE, with_special_tokens(BPE, ["<start>", "<end>"])],
    ids=["characters", "sub-words", "special tokens"],
)
def test_the_exported_tokenizer_gives_the_same_ids(tokenizer: Tokenizer, tmp_path: Path) -> None:
    export_model(run_of(varied(vocab_size=tokenizer.vocab_size), tmp_path, tokenizer), tmp_path / "out", step=7)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    for text in (made_text(500, seed=4), "  dé\n\nBa!", "<start>não<end>" if tokenizer.special_tokens else "não"):
        ids = tokenizer.encode(text)
        assert theirs(text, add_special_tokens=False)["input_ids"] == ids.tolist()
        assert theirs.decode(ids.tolist()) == text


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("\n\t aAáé🙂\u2028\r"), max_size=30))
def test_characters_have_the_ids_of_our_tokenizer(text: str) -> None:
    from tokenizers import Tokenizer as Engine

    ours = CharTokenizer("\n\t aAáé🙂\u2028\r")
    engine = Engine.from_str(str(tokenizer_definition(ours)))
    assert engine.encode(text).ids == ours.encode(text).tolist()
    assert engine.decode(ours.encode(text).tolist()) == text


def continued(folder: Path, prompt: str, **how: Any) -> str:
    """Continue a prompt as the model card of an exported folder says."""
    generate = transformers.pipeline("text-generation", model=str(folder))
    return str(generate(prompt, do_sample=False, **how)[0]["generated_text"])


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize(
    "tokenizer", [LETTERS, BPE, with_special_tokens(BPE, ["<|endoftext|>"])], ids=["characters", "sub-words", "ends"]
)
def test_the_pipeline_of_hugging_face_continues_a_prompt_as_we_do(
    tokenizer: Tokenizer, norm: str, tmp_path: Path
) -> None:
    run = run_of(varied(vocab_size=tokenizer.vocab_size, norm=norm), tmp_path, tokenizer)
    export_model(run, tmp_path / "out")
    end = "<|endoftext|>"
    for n_tokens in (5, None):  # without a number, to the end of the context
        how = {} if n_tokens is None else {"max_new_tokens": n_tokens}
        n_added = n_tokens or SMALL.block_size - len(tokenizer.encode("ab"))
        (expected,) = generate_text(run, "ab", n_tokens=n_added, temperature=0, stop=(end,))
        assert continued(tmp_path / "out", "ab", **how).split(end)[0] == expected


def test_an_imported_model_in_its_own_class_loads_in_the_pipeline(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    shape = transformers.LlamaConfig(vocab_size=BPE.vocab_size, max_position_embeddings=32, eos_token_id=None, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.LlamaForCausalLM(shape).save_pretrained(tmp_path / "in")
    (tmp_path / "in" / "tokenizer.json").write_text(BPE.to_json()["definition"])
    run = import_revisions([(0, tmp_path / "in")], "llama", model="in", folder=tmp_path)
    export_model(run, tmp_path / "out")
    (expected,) = generate_text(run, "ab", n_tokens=5, temperature=0)
    assert continued(tmp_path / "out", "ab", max_new_tokens=5) == expected


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("unknown", {"license": "unknown"}),
        ("CC BY 4.0", {"license": "cc-by-4.0"}),
        ('Only: for "us"', {"license": "other", "license_name": 'Only: for "us"'}),
    ],
)
def test_the_model_card_has_the_front_matter_of_the_hub_and_says_what_the_run_records(
    licence: str, expected: dict[str, str], run: Run, tmp_path: Path
) -> None:
    from huggingface_hub import ModelCard

    export_model(run, tmp_path / "out", step=60, licence=licence)
    card = ModelCard.load(tmp_path / "out" / "README.md")
    data = card.data.to_dict()
    assert {name: data[name] for name in expected} == expected
    assert (data["pipeline_tag"], data["library_name"]) == ("text-generation", "transformers")
    measured = next(record for record in run.metrics() if record["step"] == 60)
    assert f"{measured['train_loss']:.4f} train, {measured['val_loss']:.4f} val" in card.text
    assert run.info["corpus"]["name"] in card.text
    assert f"| licence | {licence} |" in card.text
    (code,) = re.findall("```python\n(.*?)```", card.text, re.S)
    results: dict[str, Any] = {}
    exec(code.replace("path/of/this/folder", str(tmp_path / "out")).replace("generate(", "text = generate("), results)
    assert results["text"][0]["generated_text"]


def test_the_model_card_of_an_imported_model_names_its_source_without_the_folder_it_lay_in(tmp_path: Path) -> None:
    transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=11, n_embd=16, n_layer=1, n_head=2, n_positions=8, bos_token_id=0, eos_token_id=0
        )
    ).save_pretrained(tmp_path / "theirs")
    run = import_model(tmp_path / "theirs", tokenizer="ids", folder=tmp_path / "runs")
    export_model(run, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| source | theirs |" in card
    assert str(tmp_path) not in card
    assert "| loss | not recorded |" in card
    assert "AutoModelForCausalLM.from_pretrained" in card  # ids have no tokenizer


def test_a_failed_export_leaves_nothing(tmp_path: Path) -> None:
    run = run_of(varied(norm="post", gelu="exact"), tmp_path)
    with pytest.raises(InputError, match="Hugging Face's GPT-1 has GELU in its tanh form only"):
        export_model(run, tmp_path / "out", step=7)
    with pytest.raises(InputError, match="has no snapshot of step 8; it has 7"):
        export_model(run, tmp_path / "out", step=8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="full is there already and is not empty"):
        export_model(run, tmp_path / "full", step=7)
    assert (tmp_path / "full" / "thesis.tex").read_text() == "mine"


def test_an_empty_working_directory_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(SMALL, tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    exported = export_model(run, Path("."), step=7)
    assert sorted(path.name for path in Path.cwd().iterdir()) == exported.files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "made"]


def test_the_head_of_a_task_is_left_out_with_a_remark(tmp_path: Path) -> None:
    run = run_of(SMALL, tmp_path)
    tensors = run.snapshot(7).tensors() | {"task_head.weight": np.zeros((2, SMALL.n_embd), np.float32)}
    task = {"name": "genre", "kind": "classification", "labels": ["a", "b"], "origin": "made"}
    tuned = create_run("tuned", {"model": vars(SMALL), "tokenizer": LETTERS.to_json(), "task": task}, tmp_path)
    write_snapshot(tuned, 7, tensors)
    assert "the head for the task 'genre' was left out" in export_model(tuned, tmp_path / "out").remark
    assert export_model(run, tmp_path / "plain").remark == ""


def test_a_list_of_words_has_no_tokenizer_definition() -> None:
    assert tokenizer_definition(WordList(("a", "b"))) is None


def test_the_files_are_plain_json_and_safetensors_of_full_precision(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    run = run_of(SMALL, tmp_path)
    export_model(run, tmp_path / "out", step=7)
    stored = load_file(tmp_path / "out" / "model.safetensors")
    ours = run.snapshot(7).tensors()
    np.testing.assert_array_equal(stored["transformer.h.2.mlp.c_fc.weight"], ours["h.2.mlp.c_fc.weight"].T)
    assert not stored["transformer.h.2.mlp.c_fc.bias"].any()
    assert stored["transformer.h.2.mlp.c_fc.bias"].shape == (4 * SMALL.n_embd,)
    assert "lm_head.weight" not in stored
