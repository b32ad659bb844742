"""Language-model fine-tuning against independent oracles: packed rows, documents alone, Hugging Face's own loss."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from data.corpora.catalog import load_corpus
from data.documents.document_tokens import documents_of_run
from data.documents.packing import IGNORED, pack_rows
from data.documents.sources import read_documents
from data.errors import InputError
from data.runs import Run, list_runs, open_run
from data.tokens.tokenizers import CharTokenizer
from data.tokens.vocabularies import END_OF_TEXT, learn_bpe
from probes.models.logits import loss_by_position
from probes.tables.embeddings import token_embeddings
from probes.texts import token_counts, training_tokens
from tests.probes.models.test_hf_models import imported, made
from tests.trainer.test_model import gpt2_with_weights_of, made_model, made_tokens
from trainer.finetune.base_snapshot import open_base, trainable
from trainer.finetune.finetune_config import LanguageConfig
from trainer.finetune.language_model import resume_language, shifted_loss, start, tuned_config
from trainer.loading import load_model

QUIET = lambda step, note: None  # noqa: E731
CONFIG = LanguageConfig(
    learning_rate=1e-2, epochs=2, micro_batch=2, accumulate=2, threads=1, seed=3, sample_tokens=5, length=16
)


@pytest.fixture
def lines(tmp_path: Path) -> str:
    """A text file of short lines in the letters that the tiny run knows, some longer than its context of 16."""
    path = tmp_path / "lines.txt"
    draw = np.random.default_rng(0)
    words = ["ba", "co", "fi", "gu", "mo", "pe"]
    path.write_text("\n".join("".join(draw.choice(words, n)) for n in draw.integers(1, 10, 60)), encoding="utf-8")
    return str(path)


@pytest.fixture
def config(lines: str) -> LanguageConfig:
    return dataclasses.replace(CONFIG, corpus=lines)


def test_the_shifted_loss_is_that_of_transformers_with_labels() -> None:
    model, idx = made_model(), made_tokens()
    labels = idx.clone()
    labels[:, -2:] = IGNORED
    labels[0, :4] = IGNORED
    expected = gpt2_with_weights_of(model)(idx, labels=labels).loss.double()  # it casts the logits to float
    with torch.no_grad():
        total = shifted_loss(model(idx)[0], labels)
    torch.testing.assert_close(total / (labels[:, 1:] != IGNORED).sum(), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("mask_boundaries", [True, False])
def test_the_loss_and_gradient_of_a_step_are_those_of_documents_one_by_one_or_of_joined_rows(
    run: Run, config: LanguageConfig, mask_boundaries: bool
) -> None:
    tuning = start(dataclasses.replace(config, mask_boundaries=mask_boundaries), "tiny")
    objective, oracle = tuning.objective, load_model(open_run("tiny-lines"), 0).requires_grad_(True)
    total, count = torch.zeros(()), 0
    for number in range(4, 8):  # the rows of step 1
        documents = [torch.from_numpy(objective.documents.learned[i]) for i in objective._deal.row(number)]
        for text in documents if mask_boundaries else [torch.cat(documents)]:
            total = total + oracle(text[None, :-1], text[None, 1:])[1] * (len(text) - 1)
            count += len(text) - 1
    (total / count).backward()
    parts = list(objective.losses(1))
    assert len(parts) == 2
    torch.testing.assert_close(sum(parts), total / count)
    sum(parts).backward()
    for (name, p), q in zip(objective.model.named_parameters(), oracle.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize(("micro_batch", "accumulate"), [(8, 1), (1, 8), (3, 2)])
def test_an_epoch_sees_every_document_once_whatever_the_batches(
    run: Run, config: LanguageConfig, micro_batch: int, accumulate: int
) -> None:
    changed = dataclasses.replace(config, micro_batch=micro_batch, accumulate=accumulate, epochs=1)
    objective = start(changed, "tiny").objective
    tokens = sum(len(document) for document in objective.documents.learned)
    assert objective.steps == -(-objective._deal.n_rows // (micro_batch * accumulate))
    assert objective.evaluate(objective.steps)["tokens"] == tokens


def test_fine_tuning_learns_writes_a_sound_run_and_names_its_base(run: Run, config: LanguageConfig) -> None:
    measured = start(config, "tiny@60").go(QUIET)
    tuned = open_run("tiny-lines")
    metrics, samples = tuned.metrics(), tuned.samples()
    assert measured["val_loss_whole"] < metrics[0]["val_loss"] - 0.5
    assert metrics[-1]["val_loss_whole"] == pytest.approx(
        metrics[-1]["val_loss"]
    )  # with so few rows an evaluation covers all
    assert tuned.info["base"]["run"] == "tiny"
    counts = tuned.info["corpus"]["documents"]
    longest = 16
    texts = set(load_corpus(Path(config.corpus)).text.split("\n"))
    assert counts["skipped"] == sum(len(text) + 1 > longest for text in texts) > 0
    assert counts["learned"] + counts["held_out"] + counts["skipped"] == len(texts)
    assert samples[0]["prompt"] == samples[-1]["prompt"] != ""
    assert END_OF_TEXT not in samples[-1]["text"]
    assert all(snapshot.defect() is None for snapshot in tuned.snapshots())


def test_a_character_run_gets_a_row_for_the_end_of_text_and_step_0_is_the_base(
    run: Run, config: LanguageConfig
) -> None:
    start(config, "tiny").go(QUIET)
    tuned = open_run("tiny-lines")
    base, first = run.snapshot(60).tensors(), tuned.snapshot(0).tensors()
    n = run.info["model"]["vocab_size"]
    assert tuned.tokenizer.special_tokens == {END_OF_TEXT: n}
    assert tuned.info["model"]["vocab_size"] == n + 1 == len(first["wte.weight"])
    assert (first["wte.weight"][:n] == base["wte.weight"]).all()
    assert 0 < np.abs(first["wte.weight"][n]).max() < 0.1
    assert all((first[name] == base[name]).all() for name in base if name != "wte.weight")


def test_the_end_is_learned_where_documents_end(run: Run, config: LanguageConfig) -> None:
    start(dataclasses.replace(config, epochs=8), "tiny").go(QUIET)
    tuned = open_run("tiny-lines")
    end = tuned.tokenizer.special_tokens[END_OF_TEXT]
    chances = []
    for step in (0, tuned.snapshots()[-1].step):
        model = load_model(tuned, step)
        ids = torch.from_numpy(documents_of_run(tuned).held_out[0])[None]
        chances.append(float(model(ids[:, :-1])[0].softmax(-1)[0, -1, end].detach()))
    assert chances[1] > 2 * chances[0]


def test_the_same_seed_gives_the_same_bytes(run: Run, config: LanguageConfig) -> None:
    for name in ("one", "two"):
        start(config, "tiny", name=name).go(QUIET)
    one, two = open_run("one"), open_run("two")
    assert [s.sha256 for s in one.snapshots()] == [s.sha256 for s in two.snapshots()]
    assert one.samples() == two.samples()


def test_the_documents_of_a_run_are_found_again(run: Run, config: LanguageConfig, lines: str) -> None:
    tuning = start(config, "tiny")
    again, objective = documents_of_run(tuning.run), tuning.objective
    for mine, theirs in zip(again.learned, objective.documents.learned, strict=True):
        assert (mine == theirs).all()
    Path(lines).write_text("ba\nco\n", encoding="utf-8")
    with pytest.raises(InputError, match="have changed since"):
        documents_of_run(tuning.run)


def test_the_documents_of_a_run_are_found_again_in_the_folder_that_is_given(
    run: Run, config: LanguageConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*args: str, corpus_dir: Path | None, **how: str) -> object:
        assert corpus_dir == tmp_path
        return read_documents(*args, **how)

    tuning = start(config, "tiny")
    monkeypatch.setattr("data.documents.document_tokens.read_documents", read)
    assert documents_of_run(tuning.run, tmp_path).learned


def test_texts_cut_into_pieces_can_be_learned_whatever_is_left_of_them(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("".join(f"{'ba' * n}\n" for n in (8, 16, 24)), encoding="utf-8")
    few = dataclasses.replace(CONFIG, corpus=str(path), too_long="cut", micro_batch=1, accumulate=1, held_out=0.3)
    assert start(few, "tiny").go(QUIET)["val_loss"] > 0


def test_a_resumed_tuning_keeps_its_settings(run: Run, config: LanguageConfig) -> None:
    tuning = start(config, "tiny")
    assert tuning.lock is not None
    tuning.lock.release()
    before = tuned_config(tuning.run)
    with pytest.raises(InputError, match="a resumed run keeps its learning_rate, epochs"):
        resume_language(tuning.run, dataclasses.replace(before, epochs=9, learning_rate=1.0))
    assert resume_language(tuning.run, dataclasses.replace(before, resume_every=1.0)).step == 0
    with pytest.raises(InputError, match="run 'tiny' was not fine-tuned on documents"):
        resume_language(run)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "neox"])
def test_a_model_of_hugging_face_is_tuned_and_loads_again(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))
    base = imported(tmp_path, kind, steps=(0,))
    letters = [symbol for symbol in base.tokenizer.labels if symbol.isalpha()]
    text = tmp_path / "few.txt"
    text.write_text("\n".join("".join(letters[i : i + 5]) for i in range(20)), encoding="utf-8")
    tuning = start(dataclasses.replace(CONFIG, corpus=str(text), epochs=1), base.name, name="tuned")
    objective = tuning.objective
    tuning.go(QUIET)
    tuned = open_run("tuned")
    loaded = load_model(tuned, tuned.snapshots()[-1].step)
    assert loaded.config.vocab_size == tuned.info["model"]["vocab_size"]
    ids = torch.from_numpy(objective.documents.learned[0])[None]
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids)[0], objective.model.eval()(ids)[0])
    before = tuned.snapshot(0).tensors()
    moved = [name for name, p in objective.model.weights().items() if (p.numpy() != before[name]).any()]
    assert len(moved) > len(before) / 2


def test_a_class_that_ignores_the_mask_is_recognised(tmp_path: Path) -> None:
    from trainer.config import ModelConfig
    from trainer.pretrained.hf_model import HFModel

    shape = ModelConfig(vocab_size=40, block_size=24, n_layer=3, n_head=4, n_embd=32)
    assert HFModel(made("gpt2"), shape).supports_mask()

    class Deaf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = made("gpt2")

        def forward(self, idx: torch.Tensor, **_: object) -> object:
            return self.inner(idx)

    assert not HFModel(Deaf(), shape).supports_mask()


def test_gpt1_of_hugging_face_is_known_to_ignore_the_mask() -> None:
    import transformers

    from trainer.config import ModelConfig
    from trainer.pretrained.hf_model import HFModel

    config = transformers.OpenAIGPTConfig(vocab_size=40, n_positions=24, n_embd=32, n_layer=2, n_head=4)
    model = transformers.OpenAIGPTLMHeadModel(config)
    shape = ModelConfig(vocab_size=40, block_size=24, n_layer=2, n_head=4, n_embd=32)
    assert not HFModel(model, shape).supports_mask()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"corpus": "nowhere"}, "there is no corpus 'nowhere'"),
        ({"prefix": "ba " * 5}, "documents of .* are longer than the 16 tokens of a row"),
        ({"too_long": "drop"}, "skip or cut"),
        ({"held_out": 1.5}, "between 0 and 1"),
        ({"micro_batch": 0}, "micro_batch must be 1 or more"),
        ({"length": 1}, "length must be 2 or more"),
        ({"prompt": "☃"}, "knows no symbol of the prompt"),
        ({"device": "tpu"}, "there is no device 'tpu'"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_written(
    run: Run, config: LanguageConfig, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        start(dataclasses.replace(config, **changed), "tiny", name="never")
    assert not (run.path.parent / "never").exists()


def test_new_tokens_take_the_unused_rows_of_a_padded_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))
    base = imported(tmp_path, "llama", steps=(0,))
    rows = base.info["model"]["vocab_size"]
    known = base.tokenizer.vocab_size
    assert isinstance(base.tokenizer, CharTokenizer)
    assert rows > known
    model = trainable(open_base(base.name))
    text = tmp_path / "few.txt"
    letters = [symbol for symbol in base.tokenizer.labels if symbol.isalpha()]
    text.write_text("\n".join("".join(letters[i : i + 3]) for i in range(20)), encoding="utf-8")
    tuning = start(dataclasses.replace(CONFIG, corpus=str(text)), base.name, name="tuned")
    assert tuning.run.info["model"]["vocab_size"] == rows
    objective = tuning.objective
    before, after = model.model.get_input_embeddings().weight, objective.model.model.get_input_embeddings().weight
    assert torch.equal(before[:known], after[:known])
    assert torch.equal(before[known + 1 :], after[known + 1 :])
    assert not torch.equal(before[known], after[known])


def test_rows_of_different_lengths_are_filled_up_without_a_trace(run: Run, config: LanguageConfig) -> None:
    objective = start(config, "tiny").objective
    documents = sorted(objective.documents.learned, key=len)[:3]
    together = objective.total_loss(pack_rows([list(documents[:2]), [documents[2]]]))
    alone = objective.total_loss(pack_rows([list(documents[:2])])) + objective.total_loss(pack_rows([[documents[2]]]))
    torch.testing.assert_close(together, alone)


def test_the_folder_of_a_model_becomes_a_run_first_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small GPT-1 of the real class, norms after the sums, with a vocabulary of its own and no end of text."""
    transformers = pytest.importorskip("transformers")
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    folder = tmp_path / "openai-gpt-1.5"
    tokenizer = learn_bpe("why did the horse walk into a bar? " * 9, 280)
    shape = {"n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
    config = transformers.OpenAIGPTConfig(vocab_size=tokenizer.vocab_size, **shape)
    transformers.OpenAIGPTLMHeadModel(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer.definition, encoding="utf-8")
    text = tmp_path / "my horses (1).csv"
    text.write_text("ID,Joke\n1,why?\n2,a horse\n3,into a bar?\n", encoding="utf-8")
    tuning = start(dataclasses.replace(CONFIG, corpus=str(text)), str(folder))
    assert tuning.run.name == "openai-gpt-1.5-my-horses-1"
    base = open_run("openai-gpt-1.5")
    described = {"run": "openai-gpt-1.5", "step": 0, "sha256": base.snapshot(0).sha256, "step_known": False}
    assert tuning.run.info["base"] == described
    assert tuning.run.info["model"]["norm"] == "post"
    assert tuning.run.info["model"]["vocab_size"] == tokenizer.vocab_size + 1
    tuning.go(QUIET)
    objective = tuning.objective
    ends = tuning.run.tokenizer.special_tokens[END_OF_TEXT]
    assert {int(document[-1]) for document in objective.documents.learned} == {ends}
    again = start(dataclasses.replace(CONFIG, corpus=str(text)), str(folder))
    assert again.run.info["base"] == tuning.run.info["base"]
    assert sorted(run.name for run in list_runs()) == [
        "openai-gpt-1.5",
        "openai-gpt-1.5-my-horses-1",
        "openai-gpt-1.5-my-horses-1-2",
    ]


def test_probes_look_into_a_tuned_run_with_the_documents_it_learned(run: Run, config: LanguageConfig) -> None:
    tuning = start(dataclasses.replace(config, epochs=1), "tiny")
    tuning.go(QUIET)
    tuned, objective = open_run("tiny-lines"), tuning.objective
    learned, held_out = training_tokens(tuned)
    assert (learned == np.concatenate(objective.documents.learned)).all()
    assert (held_out == np.concatenate(objective.documents.held_out)).all()
    assert token_counts(tuned)[objective.tokenizer.special_tokens[END_OF_TEXT]] == sum(
        int(document[-1]) == objective.tokenizer.special_tokens[END_OF_TEXT] for document in objective.documents.learned
    )
    table = token_embeddings(tuned)
    assert table.sizes["step"] == len(tuned.snapshots())
    assert str(table["token"].values[-1]) == END_OF_TEXT
    by_position = loss_by_position(tuned)["loss"]
    assert np.isfinite(by_position).all()
    assert by_position.isel(step=-1).mean() < by_position.isel(step=0).mean()
