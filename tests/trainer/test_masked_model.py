"""Documents that share a row of our GPT without attending to each other: each has the logits it has alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data.documents.packing import IGNORED, PADDING, pack_rows
from tests.trainer.test_model import SMALL, gpt2_with_weights_of, made_model


def made_documents(lengths: list[int], seed: int = 0) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    return [draw.integers(0, SMALL.vocab_size, length) for length in lengths]


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4).filter(lambda some: sum(some) <= SMALL.block_size))
@settings(max_examples=20, deadline=None)
def test_packed_documents_give_the_logits_they_give_alone(lengths: list[int]) -> None:
    model, documents = made_model(), made_documents(lengths)
    rows = pack_rows([documents, documents[:1]])
    mask, positions = torch.from_numpy(rows.mask)[:, None], torch.from_numpy(rows.positions)
    with torch.no_grad():
        packed = model(torch.from_numpy(rows.ids), mask=mask, positions=positions)[0]
        alone = [model(torch.from_numpy(document)[None])[0][0] for document in documents]
    torch.testing.assert_close(packed[0, : sum(lengths)], torch.cat(alone))
    torch.testing.assert_close(packed[1, : lengths[0]], alone[0])


@pytest.mark.parametrize("attention", ["plain", "fused kernel"])
def test_gradients_of_packed_documents_add_up_those_of_each_alone(
    attention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if attention == "fused kernel":
        monkeypatch.setattr("trainer.model.PLAIN_ATTENTION_MAX_CONTEXT", 0)
    documents = made_documents([4, 2, 5])
    rows = pack_rows([documents])
    packed, apart = made_model().train(), made_model().train()
    logits = packed(
        torch.from_numpy(rows.ids),
        mask=torch.from_numpy(rows.mask)[:, None],
        positions=torch.from_numpy(rows.positions),
    )[0]
    labels = torch.from_numpy(rows.labels(across=False))
    torch.nn.functional.cross_entropy(logits[0, :-1], labels[0, 1:], ignore_index=IGNORED, reduction="sum").backward()
    for document in documents:
        ids = torch.from_numpy(document)[None]
        apart(ids[:, :-1], ids[:, 1:])[1].mul(len(document) - 1).backward()
    for (name, p), q in zip(packed.named_parameters(), apart.parameters(), strict=True):
        if name == "wpe.weight":
            assert not p.grad[
                5:
            ].any()  # positions start at 0 in each document: those beyond the longest document are never used
        torch.testing.assert_close(p.grad, q.grad, msg=name)


def test_a_mask_agrees_with_gpt2_of_hugging_face() -> None:
    model = made_model()
    rows = pack_rows([made_documents([3, 6]), made_documents([5, 2, 5], seed=1)])
    ids, positions = torch.from_numpy(rows.ids), torch.from_numpy(rows.positions)
    mask = torch.from_numpy(rows.mask)[:, None]
    oracle = gpt2_with_weights_of(model)
    with torch.no_grad():
        ours = model(ids, mask=mask, positions=positions)[0]
        theirs = oracle(ids, attention_mask=mask, position_ids=positions).logits
    real = torch.from_numpy(rows.document != PADDING)
    torch.testing.assert_close(ours[real], theirs[real])


def test_a_causal_mask_changes_nothing() -> None:
    model = made_model()
    ids = torch.from_numpy(np.stack(made_documents([7, 7])))
    causal = torch.ones(2, 1, 7, 7, dtype=torch.bool).tril()
    with torch.no_grad():
        torch.testing.assert_close(model(ids, mask=causal)[0], model(ids)[0])
