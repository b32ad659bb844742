"""Heads and losses: by hand, and against Hugging Face's models of GPT-1 with the heads of the paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from data.tasks.examples import Classification, Entailment, Example, MultipleChoice, Similarity
from tests.trainer.test_model import made_model
from trainer.config import ModelConfig
from trainer.model import GPT
from trainer.supervised.input_transforms import Batch, Specials, encode_examples
from trainer.supervised.task_model import TaskModel, final_states, task_loss, text_loss

SPECIALS = Specials(20, 21, 22)
OURS = ModelConfig(vocab_size=23, block_size=16, n_layer=2, n_head=2, n_embd=8)
GPT_1 = ModelConfig(vocab_size=23, block_size=16, n_layer=2, n_head=2, n_embd=8, norm="post", bias="all")

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "classification": (Classification("abcd", 2), Classification("ef", 0)),
    "entailment": (Entailment("abc", "de", 1), Entailment("f", "gh", 0)),
    "similarity": (Similarity("abc", "de", 0.25), Similarity("f", "gh", 1.0)),
    "choice": (MultipleChoice("abc", ("d", "ef", "g"), 2), MultipleChoice("h", ("ij", "k", "l"), 0)),
}
LABELS = {"classification": ("x", "y", "z"), "entailment": ("n", "y"), "similarity": (), "choice": ("0", "1", "2")}


def batch_of(kind: str) -> Batch:
    def encode(text: str) -> Any:
        return np.array([ord(letter) - ord("a") for letter in text], dtype=np.int64)

    return encode_examples(EXAMPLES[kind], encode, SPECIALS, 16).batch([0, 1])


def tasked(kind: str, shape: ModelConfig = OURS) -> TaskModel:
    model = TaskModel(made_model(shape, torch.float32), kind, len(LABELS[kind]), seed=1)
    with torch.no_grad():  # large, so that the outputs of the head differ clearly
        model.task_head.weight.copy_(
            torch.randn(model.task_head.weight.shape, generator=torch.Generator().manual_seed(5))
        )
        model.task_head.bias.copy_(torch.arange(len(model.task_head.bias)) / 7)
    return model.eval()


def by_hand(model: TaskModel, row: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Compute the last state and the logits of one sequence by itself, without padding."""
    assert isinstance(model.body, GPT)
    x = model.body.wte(torch.tensor([row])) + model.body.wpe.weight[: len(row)]
    for block in model.body.h:
        x = block(x)
    return model.body.ln_f(x)[0, -1].detach().numpy(), model.body.unembed(x)[0].detach().numpy()


@pytest.mark.parametrize("shape", [OURS, GPT_1], ids=["ours", "gpt-1"])
@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_losses_are_what_a_calculation_by_hand_gives(kind: str, shape: ModelConfig) -> None:
    model, batch = tasked(kind, shape), batch_of(kind)
    weight, bias = (p.detach().numpy() for p in (model.task_head.weight, model.task_head.bias))
    rows = [ids[: last + 1].tolist() for ids, last in zip(batch.ids, batch.last, strict=True)]
    seen = [by_hand(model, row) for row in rows]
    states = np.array([state for state, _ in seen]).reshape(2, -1, 8)  # (example, sequence, dim)
    scores = states @ weight[0] + bias[0] if kind == "choice" else states.sum(1) @ weight.T + bias
    if kind == "similarity":
        expected = np.mean((scores[:, 0] - [0.25, 1.0]) ** 2)
    else:
        logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
        expected = -np.mean([logs[i, int(target)] for i, target in enumerate(batch.targets)])
    surprises = []
    for row, (_, logits) in zip(rows, seen, strict=True):
        logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        surprises += [-logs[place - 1, token] for place, token in enumerate(row) if token < 20]
    losses = model.losses(batch, weight=0.3)
    assert losses.task.item() == pytest.approx(expected, rel=1e-4)
    assert losses.text.item() == pytest.approx(np.mean(surprises), rel=1e-4)
    assert losses.total.item() == pytest.approx(expected + 0.3 * np.mean(surprises), rel=1e-4)
    np.testing.assert_allclose(losses.scores.detach().numpy(), scores, rtol=1e-4, atol=1e-5)


def openai_config() -> Any:
    from transformers import OpenAIGPTConfig

    return OpenAIGPTConfig(
        vocab_size=23,
        n_positions=16,
        n_embd=8,
        n_layer=2,
        n_head=2,
        afn="gelu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        summary_first_dropout=0.0,
        num_labels=3,
        pad_token_id=22,
    )


def copy_body(theirs: Any, ours: GPT) -> None:
    """Copy the weights of Hugging Face's GPT-1 into ours; its Conv1D stores matrices the other way round."""
    tables = {"tokens_embed.weight": "wte.weight", "positions_embed.weight": "wpe.weight"}
    parameters = dict(ours.named_parameters())
    with torch.no_grad():
        for name, tensor in theirs.named_parameters():
            name = tables.get(name, name)
            is_matrix = name.startswith("h.") and tensor.dim() == 2
            parameters.pop(name).copy_(tensor.T if is_matrix else tensor)
    assert not parameters


def test_a_choice_in_the_form_of_gpt_1_has_the_losses_of_the_double_heads_model() -> None:
    from transformers import OpenAIGPTDoubleHeadsModel

    torch.manual_seed(3)
    theirs = OpenAIGPTDoubleHeadsModel(openai_config()).eval()
    ours, batch = tasked("choice", GPT_1), batch_of("choice")
    assert isinstance(ours.body, GPT)
    copy_body(theirs.transformer, ours.body)
    with torch.no_grad():
        ours.task_head.weight.copy_(theirs.multiple_choice_head.summary.weight)
        ours.task_head.bias.copy_(theirs.multiple_choice_head.summary.bias)
        ids = torch.from_numpy(batch.ids).view(2, 3, -1)
        found = theirs(
            ids,
            mc_token_ids=torch.from_numpy(batch.last).view(2, 3),
            labels=torch.where(torch.from_numpy(batch.is_text).view(2, 3, -1), ids, -100),
            mc_labels=torch.from_numpy(batch.targets).long(),
        )
        losses = ours.losses(batch, weight=0.5)
    torch.testing.assert_close(losses.scores, found.mc_logits)
    torch.testing.assert_close(losses.task, found.mc_loss)
    torch.testing.assert_close(losses.text, found.loss)


def test_a_classification_in_the_form_of_gpt_1_has_the_scores_of_the_sequence_classifier() -> None:
    from transformers import OpenAIGPTForSequenceClassification

    torch.manual_seed(4)
    theirs = OpenAIGPTForSequenceClassification(openai_config()).eval()
    ours, batch = tasked("classification", GPT_1), batch_of("classification")
    assert isinstance(ours.body, GPT)
    copy_body(theirs.transformer, ours.body)
    with torch.no_grad():
        ours.task_head.weight.copy_(theirs.score.weight)
        ours.task_head.bias.zero_()
        for number, (row, last) in enumerate(zip(batch.ids, batch.last, strict=True)):
            # Theirs reads the token before the padding, and takes the extract token for padding: so one row at a time, whole.
            theirs.config.pad_token_id = None
            label = torch.tensor([int(batch.targets[number])])
            found = theirs(torch.from_numpy(row[None, : last + 1]), labels=label)
            scores, _ = ours(torch.from_numpy(batch.ids), torch.from_numpy(batch.last))
            torch.testing.assert_close(scores[number : number + 1], found.logits)
            torch.testing.assert_close(F.cross_entropy(scores[number : number + 1], label), found.loss)


def test_a_similarity_is_the_same_in_both_orders_and_an_entailment_is_not() -> None:
    for kind, made, is_symmetric in (("similarity", Similarity, True), ("entailment", Entailment, False)):
        model = TaskModel(made_model(OURS, torch.float32), kind, 2).eval()
        said = []
        for texts in (("abc", "de"), ("de", "abc")):
            encoded = encode_examples(
                [made(*texts, 1)], lambda text: np.array([ord(c) - 97 for c in text]), SPECIALS, 16
            )
            said.append(model.losses(encoded.batch([0]), 0.5).scores)
        assert torch.allclose(said[0], said[1], atol=1e-6) == is_symmetric


def test_what_fills_a_row_changes_nothing_and_is_not_learned() -> None:
    model, batch = tasked("entailment"), batch_of("entailment")
    wider = Batch(
        np.concatenate([batch.ids, np.full((2, 3), 22)], axis=1),
        batch.last,
        np.concatenate([batch.is_text, np.zeros((2, 3), dtype=bool)], axis=1),
        batch.targets,
    )
    for one, other in zip(
        vars(model.losses(batch, 0.5)).values(), vars(model.losses(wider, 0.5)).values(), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_without_its_weight_the_language_model_has_no_say_in_the_loss() -> None:
    losses = tasked("choice").losses(batch_of("choice"), weight=0.0)
    assert losses.total is losses.task


def test_a_head_that_knows_nothing_loses_the_logarithm_of_the_classes() -> None:
    assert task_loss(torch.zeros(5, 4), torch.arange(5) % 4, False).item() == pytest.approx(math.log(4))
    assert task_loss(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 1.0]), True).item() == pytest.approx(2.5)


def test_the_text_is_predicted_from_the_tokens_before_it() -> None:
    ids = torch.tensor([[7, 1, 2, 9]])
    logits = torch.zeros(1, 4, 10)
    logits[0, 0, 1], logits[0, 1, 2] = 50.0, 50.0  # after the start comes 1, after 1 comes 2
    is_text = torch.tensor([[False, True, True, False]])
    assert text_loss(logits, ids, is_text).item() == pytest.approx(0.0, abs=1e-6)
    assert text_loss(logits, ids, torch.zeros_like(is_text)).item() == 0.0
    logits[0, 2, 9] = -50.0  # a wrong prediction of the extract token costs nothing
    assert text_loss(logits, ids, is_text).item() == pytest.approx(0.0, abs=1e-6)


def test_the_head_follows_from_its_seed_and_begins_small() -> None:
    one, same, other = (TaskModel(made_model(OURS, torch.float32), "classification", 3, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.task_head.weight, same.task_head.weight)
    assert not torch.equal(one.task_head.weight, other.task_head.weight)
    assert one.task_head.weight.abs().max() < 0.1
    assert one.task_head.bias.abs().max() == 0


def test_the_state_that_is_read_is_the_one_that_the_unembedding_reads() -> None:
    model = made_model(OURS, torch.float32).eval()
    ids = torch.arange(12).view(2, 6)
    hidden, logits = final_states(model, ids)
    torch.testing.assert_close(hidden @ model.wte.weight.T, logits)
    assert not model.ln_f._forward_hooks
