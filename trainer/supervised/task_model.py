"""A GPT with a head for a task, and its loss: L = L_task + weight * L_lm (Radford et al. 2018, equations 3 to 5).

The head is one linear layer on the final hidden state (after the last norm, if the model has one) at the extract token. A similarity
has no order, so the states of both orders are added first. In a choice every answer gets one number, and the softmax is over the
answers. The loss of classes is cross-entropy, that of scores squared error. L_lm is the language-model loss on the text of the same
sequences, in nats per token: special tokens and padding are not predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.loading import Model
from trainer.machine import on_device
from trainer.model import GPT
from trainer.seeds import TASK_HEAD, generator
from trainer.supervised.input_transforms import Batch

HEAD_STD = 0.02


@dataclass(frozen=True)
class Losses:
    """The scores of a batch, (example, class), and its two losses with their weighted sum."""

    scores: Tensor
    task: Tensor
    text: Tensor
    total: Tensor


class TaskModel(nn.Module):
    """A language model with a head that reads its final hidden state at one position.

    Parameters
    ----------
    body : the language model.
    kind : of the task, one of `data.tasks.examples.KINDS`; it determines the shape of the head.
    n_labels : number of classes, or of answers in a choice; 0 for scores.
    dropout : share of the state set to zero at random before the head in training.
    seed : of the head's weights, which are drawn from N(0, 0.02).
    """

    def __init__(self, body: Model, kind: str, n_labels: int, *, dropout: float = 0.1, seed: int = 0):
        super().__init__()
        self.body = body
        self.kind = kind
        self.is_regression = n_labels == 0
        self.dropout = dropout
        self.n_sequences = {"similarity": 2, "choice": n_labels}.get(kind, 1)
        n_outputs = 1 if kind == "choice" else n_labels or 1
        with torch.random.fork_rng():
            self.task_head = nn.Linear(body.config.n_embd, n_outputs)
        with torch.no_grad():
            draw = torch.randn(self.task_head.weight.shape, generator=generator(seed, TASK_HEAD))
            self.task_head.weight.copy_(HEAD_STD * draw)
            self.task_head.bias.zero_()

    def forward(self, ids: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the scores (example, class) and the logits (B, T, vocab_size) of tokens (B, T) with extract tokens at ``last`` (B,)."""
        hidden, logits = final_states(self.body, ids)
        state = hidden[torch.arange(len(ids), device=ids.device), last]  # (B, C)
        if self.kind == "similarity":
            state = state.view(-1, self.n_sequences, state.shape[-1]).sum(1)  # (example, C): the sum of both orders
        scores = self.task_head(F.dropout(state, self.dropout, self.training))
        return (scores.view(-1, self.n_sequences) if self.kind == "choice" else scores), logits

    def losses(self, batch: Batch, weight: float, device: torch.device | None = None) -> Losses:
        """Compute the losses of a batch; ``weight`` is that of the language-model loss."""
        arrays = (batch.ids, batch.last, batch.is_text, batch.targets)
        ids, last, is_text, targets = (on_device(array, device) for array in arrays)
        scores, logits = self(ids, last)
        task, text = task_loss(scores, targets, self.is_regression), text_loss(logits, ids, is_text)
        return Losses(scores, task, text, task + weight * text if weight else task)


def final_states(model: Model, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the final hidden states (B, T, C), after the last norm, and the logits (B, T, vocab_size)."""
    if not isinstance(model, GPT):
        found = model.model(ids, use_cache=False, output_hidden_states=True)
        return found.hidden_states[-1], found.logits
    kept: list[Tensor] = []
    hook = model.ln_f.register_forward_hook(lambda _, __, normed: kept.append(normed))
    try:
        logits, _ = model(ids)
    finally:
        hook.remove()
    return kept[0], logits


def task_loss(scores: Tensor, targets: Tensor, is_regression: bool) -> Tensor:
    """Compute the mean cross-entropy of classes, in nats, or the mean squared error of scores (example, 1)."""
    if is_regression:
        return F.mse_loss(scores[:, 0], targets.to(scores.dtype))
    return F.cross_entropy(scores, targets.long())


def text_loss(logits: Tensor, ids: Tensor, is_text: Tensor) -> Tensor:
    """Compute the mean next-token loss over the tokens that are text (B, T), in nats per token; 0 if there are none."""
    predicted = is_text[:, 1:]
    if not predicted.any():  # the tokenizer knows no character of these texts
        return logits.sum() * 0
    return F.cross_entropy(logits[:, :-1][predicted], ids[:, 1:][predicted])
