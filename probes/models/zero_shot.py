"""Zero-shot choice of the next line by its probability, at every snapshot.

The heuristic of the GPT-1 paper (Radford et al. 2018, section 5 and figure 2, right) chooses the answer with the highest mean
log-probability per token after the context. It prefers lines that are common in any context. To measure the effect of the context, the
log-probability of the line without its context is subtracted (Holtzman et al. 2021). Both accuracies are measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional as F

from data.progress import Progress, parts
from data.runs import Run
from data.tasks.examples import MultipleChoice
from data.tasks.line_choices import draw_line_choices
from data.tasks.play_tasks import N_ANSWERS, play_task
from data.tokens.tokenizers import Tokenizer, unknown_symbols
from probes.models.gathering import over_snapshots
from probes.models.observation import in_parts, observe
from probes.texts import training_tokens
from trainer.config import described_model
from trainer.loading import Model

N_QUESTIONS = 256


@dataclass(frozen=True)
class Questions:
    """Multiple-choice questions as token ids.

    ``ids`` (sequence, query + 1): context and answer, one sequence for each answer, those of a question in succession.
    ``is_answer`` (sequence, query): whether the next token is part of the answer. ``targets`` (question,): the right answer.
    """

    ids: Tensor
    is_answer: Tensor
    targets: Tensor


def zero_shot(run: Run, *, seed: int = 0, text: Path | None = None, progress: Progress | None = None) -> xr.Dataset:
    """Measure how often the model chooses the next line among four, without training for it, at every snapshot.

    Parameters
    ----------
    run : the run to measure.
    seed : of the choice of questions; they are the same at every snapshot.
    text : a text file from which questions are drawn. If None: for a run of the corpus ``training-plays`` the held-out plays (the test
        set of the task next-line), for any other the validation split of its own corpus.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    ``accuracy`` (step): the share of questions where the right line has the highest mean log-probability per token.
    ``accuracy_by_gain`` (step): the share where the context raises that of the right line most, compared with the line alone. Both have
    the attributes ``chance``, the accuracy of guessing, and ``standard_error``, from the number of questions. ``margin`` (step): mean
    log-probability per token of the right line minus that of the wrong ones, in nats. The attribute ``questions`` is their number.

    Raises
    ------
    InputError
        If the text cannot be read or has fewer than four different lines.

    References
    ----------
    Radford, Narasimhan, Salimans and Sutskever 2018, "Improving language understanding by generative pre-training": section 5.
    Holtzman et al. 2021, "Surface form competition: why the highest probability answer isn't always right" (arXiv 2104.08315).
    """
    choices = _choices(run, seed, text)
    tokenizer, block_size = run.tokenizer, described_model(run).block_size
    questions = encode_questions(choices, tokenizer, block_size)
    without_context = encode_questions([replace(choice, context="") for choice in choices], tokenizer, block_size)

    def measure(model: Model) -> dict[str, Any]:
        per_token = mean_log_probabilities(model, questions)  # (question, answer)
        gain = per_token - mean_log_probabilities(model, without_context)
        right = per_token.gather(1, questions.targets[:, None])[:, 0]
        wrong = (per_token.sum(1) - right) / (per_token.shape[1] - 1)
        return {
            "accuracy": (per_token.argmax(1) == questions.targets).float().mean(),
            "accuracy_by_gain": (gain.argmax(1) == questions.targets).float().mean(),
            "margin": (right - wrong).mean(),
        }

    dims: dict[str, tuple[str, ...]] = {"accuracy": (), "accuracy_by_gain": (), "margin": ()}
    found = over_snapshots(run, measure, dims, {}, progress)
    for name in ("accuracy", "accuracy_by_gain"):
        share = found[name].values
        error = float(np.sqrt(np.mean(share * (1 - share)) / len(choices)))
        found[name].attrs |= {"chance": 1 / N_ANSWERS, "standard_error": error}
    found["margin"].attrs["units"] = "nats per token"
    return found.assign_attrs(questions=len(choices))


def encode_questions(choices: Sequence[MultipleChoice], tokenizer: Tokenizer, block_size: int) -> Questions:
    """Encode contexts and answers so that each token of an answer has at most ``block_size`` tokens before it.

    A long context is cut at its start, a long answer after half a block. An empty context becomes a line end. If the vocabulary has no
    line end, neither had the text of the model: a space, or nothing, separates the lines.
    """
    line_end = next((mark for mark in ("\n", " ") if not unknown_symbols(tokenizer, mark)), "")
    rows: list[tuple[np.ndarray, int]] = []
    for choice in choices:
        context = tokenizer.encode((choice.context + "\n").replace("\n", line_end))
        for answer in choice.answers:
            end = tokenizer.encode(answer)[: max(1, block_size // 2)]
            start = context[max(0, len(context) - (block_size + 1 - len(end))) :]
            rows.append((np.concatenate([start, end]), len(start)))
    width = max(len(row) for row, _ in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    is_answer = np.zeros((len(rows), width - 1), dtype=bool)
    for number, (row, n_context) in enumerate(rows):
        ids[number, : len(row)] = row
        is_answer[number, max(0, n_context - 1) : len(row) - 1] = True
    targets = torch.tensor([choice.target for choice in choices])
    return Questions(torch.from_numpy(ids), torch.from_numpy(is_answer), targets)


def mean_log_probabilities(model: Model, questions: Questions) -> Tensor:
    """Compute the mean log-probability per token of each answer after its context, (question, answer), in nats."""
    found = []
    for part in parts(in_parts(model, questions.ids.numpy()), "batch of questions"):
        ids, is_answer = questions.ids[part], questions.is_answer[part]
        # The softmax of answers only: for a large vocabulary, that of the contexts would cost most.
        logits = observe(model, ids[:, :-1]).logits[is_answer]
        log_p = F.log_softmax(logits, dim=-1).gather(1, ids[:, 1:][is_answer][:, None])[:, 0]
        total = torch.zeros(is_answer.shape).masked_scatter(is_answer, log_p).sum(1)
        found.append(total / is_answer.sum(1).clamp(min=1))
    return torch.cat(found).view(len(questions.targets), -1)


def _choices(run: Run, seed: int, text: Path | None) -> Sequence[MultipleChoice]:
    """Draw the questions for a run."""
    if text is None and run.info.get("corpus", {}).get("name") == "training-plays":
        test = play_task("next-line", seed=seed, n_train=N_ANSWERS, n_test=N_QUESTIONS).test
        return [example for example in test if isinstance(example, MultipleChoice)]
    _, validation = training_tokens(run, text)
    return draw_line_choices(run.tokenizer.decode(validation), N_QUESTIONS, seed=seed)
