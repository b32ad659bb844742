"""Supervised fine-tuning of a snapshot, or of the same model with weights that nothing has trained.

`prepare` turns a task into an objective of `trainer.finetune.tuning`; `tune` writes a run of it, `tune_unseen` only says how well it does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data.errors import InputError
from data.runs import Run
from data.tasks.examples import Task
from data.tokens.special_tokens import with_special_tokens
from data.tokens.tokenizers import Tokenizer, known_part
from trainer.finetune.base_snapshot import Base, grow, trainable
from trainer.finetune.tuning import Tuning, begin, no_number, take_step, untracked
from trainer.generation.sampling import generate_tokens
from trainer.loading import HEAD, Model, blank_model, load_model
from trainer.loop import ReportStep, own_random_state
from trainer.model import GPT
from trainer.optimizers.recipes import RECIPES, initialise
from trainer.supervised.input_transforms import SPECIAL_TOKENS, Encoded, Specials, drawn, encode_examples
from trainer.supervised.task_config import TaskConfig, check, with_warm_up
from trainer.supervised.task_model import TaskModel
from trainer.supervised.task_scores import score

JUDGED_EXAMPLES = 256
"""Of the train set, and of the test set before the last step, on which losses and scores are measured along the way."""

ROWS_AT_ONCE = 128
SAMPLE_TEMPERATURE = 0.8
SAMPLE_TOKENS = 60
PROMPT_TOKENS = 16


@dataclass(frozen=True)
class TaskObjective:
    """A task to be learned (see `trainer.finetune.tuning.Objective`).

    ``module`` is the model with its head; ``train`` and ``test`` are the examples as tokens.
    """

    task: Task
    module: TaskModel
    train: Encoded
    test: Encoded
    tokenizer: Tokenizer
    config: TaskConfig
    device: torch.device

    @property
    def model(self) -> Model:
        return self.module.body

    @property
    def batch_size(self) -> int:
        """Return the number of examples in a step."""
        return self.config.micro_batch * self.config.accumulate

    @property
    def steps_an_epoch(self) -> int:
        """Return the number of steps in which every example is seen once; the last may have fewer than the others."""
        return math.ceil(len(self.train) / self.batch_size)

    @property
    def steps(self) -> int:
        return self.steps_an_epoch * self.config.epochs

    def losses(self, step: int) -> Iterator[Tensor]:
        numbers, size = self.numbers(step), self.config.micro_batch
        parts = [numbers[first : first + size] for first in range(0, len(numbers), size)]
        batches = [self.train.batch(part) for part in parts]
        n_foretold = max(1, sum(batch.n_foretold for batch in batches))
        for part, batch in zip(parts, batches, strict=True):
            # By its examples for the task, and by its tokens for the text: the step is then that of one big batch.
            by_tokens = batch.n_foretold / n_foretold * len(numbers) / len(part)
            losses = self.module.losses(batch, self.config.lm_weight * by_tokens, self.device)
            yield losses.total * len(part) / len(numbers)

    def judge(self, step: int) -> dict[str, float]:
        """Return the losses of the language model on the texts (``train_loss`` and ``val_loss``), those of the task, and its scores.

        They are measured on some examples of each set; at the last step the scores are those of the whole test set.
        """
        judged = drawn(len(self.test), len(self.test) if step == self.steps else JUDGED_EXAMPLES)
        found: dict[str, float] = {}
        seen = drawn(len(self.train), JUDGED_EXAMPLES)
        for split, examples, numbers in (("train", self.train, seen), ("val", self.test, judged)):
            said, task, text = self._read(examples, numbers)
            found |= {f"{split}_loss": text, f"{split}_task_loss": task}
        scores = score(self.task, self._decided(said, step), judged)
        return {**found, **scores, "tokens": float(step * self.batch_size * self._tokens_an_example)}

    def sample(self, step: int) -> Mapping[str, object] | None:
        """Let the language model go on from the beginning of a text of the test set: what it still knows of its old trade."""
        if not isinstance(self.model, GPT):
            return None
        ids = self.test.sequences[0][0]
        is_text = ~np.isin(ids, dataclasses.astuple(self.test.specials))
        prompt = torch.from_numpy(ids[is_text][:PROMPT_TOKENS]).to(self.device)
        if not len(prompt):
            return None
        seed = self.config.seed + step
        out = generate_tokens(self.model, prompt, SAMPLE_TOKENS, temperature=SAMPLE_TEMPERATURE, seed=seed)
        text = self.tokenizer.decode(out[len(prompt) :].cpu().numpy())
        said = self.tokenizer.decode(prompt.cpu().numpy())
        return {"prompt": said, "text": text, "temperature": SAMPLE_TEMPERATURE, "seed": seed}

    def predictions(self) -> NDArray[Any]:
        """Return what the model says of the test set: classes, or scores of a regression, (example,).

        Raises
        ------
        InputError
            If it says what is no number.
        """
        was_training = self.module.training
        self.module.eval()
        said, _, _ = self._read(self.test, np.arange(len(self.test)))
        self.module.train(was_training)
        return self._decided(said, self.steps)

    def scores(self) -> dict[str, float]:
        """Return the scores of the test set (see `trainer.supervised.task_scores.score`)."""
        return score(self.task, self.predictions())

    @torch.no_grad()
    def _read(self, examples: Encoded, numbers: NDArray[np.int64]) -> tuple[Tensor, float, float]:
        """Return what the head says of some examples, (example, class), with the losses of the task and of the text."""
        said: list[Tensor] = []
        task = text = 0.0
        n_foretold = 0
        at_once = max(1, ROWS_AT_ONCE // self.module.n_sequences)
        for first in range(0, len(numbers), at_once):
            some = numbers[first : first + at_once]
            batch = examples.batch(some)
            losses = self.module.losses(batch, self.config.lm_weight, self.device)
            said.append(losses.scores)
            task += losses.task.item() * len(some) / len(numbers)
            text += losses.text.item() * batch.n_foretold
            n_foretold += batch.n_foretold
        return torch.cat(said), task, text / max(1, n_foretold)

    def _decided(self, said: Tensor, step: int) -> NDArray[Any]:
        if not said.isfinite().all():  # the greatest of these would be some class, and its share right a score
            raise no_number(step)
        return (said[:, 0] if self.task.is_regression else said.argmax(-1)).cpu().numpy()

    def numbers(self, step: int) -> NDArray[np.int64]:
        """Return which examples a step sees: every epoch has each once, in an order of its own."""
        epoch, place = divmod(step, self.steps_an_epoch)
        order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.train))
        return order[place * self.batch_size : (place + 1) * self.batch_size]

    @property
    def _tokens_an_example(self) -> int:
        return round(float(np.mean([sum(map(len, sequences)) for sequences in self.train.sequences])))


def prepare(
    base: Base, task: Task, config: TaskConfig, device: torch.device, *, pre_trained: bool = True
) -> TaskObjective:
    """Return the objective of a task: the model with rows for the new tokens and a head, the examples as tokens.

    Parameters
    ----------
    base : the snapshot whose model is tuned.
    task : what is to be learned.
    config : its seed decides the new rows, the head and, without pre-training, all other weights.
    device : where the model trains.
    pre_trained : False keeps the shape of the model and draws its weights anew.

    Raises
    ------
    InputError
        If the configuration makes no sense, the base cannot be tuned, or it knows no symbol of the texts to learn from.
    """
    check(config)
    old = base.run.tokenizer
    tokenizer = with_special_tokens(old, SPECIAL_TOKENS)
    ids = tokenizer.special_tokens
    specials = Specials(*(ids[name] for name in SPECIAL_TOKENS))
    is_foreign = base.run.info.get("model", {}).get("kind") == "hf"
    model = trainable(base, dropout=None if is_foreign else config.dropout)  # other classes have dropouts of their own
    if not pre_trained:
        forget(model, base, config.seed)
    new = [ids[name] for name in SPECIAL_TOKENS if name not in old.special_tokens]
    if new:
        grow(model, tokenizer.vocab_size, min(new), seed=config.seed)
    module = TaskModel(model, task.kind, len(task.labels), dropout=config.dropout or 0.0, seed=config.seed).to(device)
    block_size = model.config.block_size
    train, test = (
        encode_examples(examples, lambda text: old.encode(known_part(old, text)), specials, block_size)
        for examples in (task.train, task.test)
    )
    if not any(batch.is_text.any() for batch in map(train.batch, ([number] for number in range(len(train))))):
        raise InputError(f"the model knows no symbol of the texts of task {task.name}: give texts in its own letters")
    objective = TaskObjective(task, module, train, test, tokenizer, config, device)
    return dataclasses.replace(objective, config=with_warm_up(config, objective.steps))


def forget(model: Model, base: Base, seed: int) -> None:
    """Draw all weights of a model anew, as the training of its run drew them, or as its own class does."""
    if isinstance(model, GPT):
        recipe = RECIPES.get(base.run.info.get("training", {}).get("recipe", ""), RECIPES["reference"])
        initialise(model, recipe.initialisation, seed)
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = blank_model(base.run)
    model.load_state_dict(fresh.state_dict())


def tune(objective: TaskObjective, base: Base, name: str, report: ReportStep) -> tuple[Tuning, dict[str, float]]:
    """Fine-tune and write a run; return what wrote it, and the scores of the test set.

    Parameters
    ----------
    objective : as `prepare` made it.
    base : what it was made of.
    name : of the run.
    report : called after every step.
    """
    task = objective.task
    info = {
        "tokenizer": objective.tokenizer.to_json(),
        **_read_before(base),
        "task": {"name": task.name, "kind": task.kind, "labels": list(task.labels), "origin": task.origin},
    }
    tuning = begin(objective, objective.config, base, info, name=name, device=objective.device)
    tuning.go(report)
    return tuning, objective.scores()


def _read_before(base: Base) -> dict[str, Any]:
    """Return the ``corpus`` of a base, by a name that finds it again: probes read the same text before and after the tuning."""
    corpus = base.run.info.get("corpus")
    if not corpus:
        return {}
    found_by = base.run.info.get("training", {}).get("corpus")  # a path, where the text is the user's own
    return {"corpus": {**corpus, "name": found_by or corpus.get("name")}}


def tune_unseen(objective: TaskObjective, base: Base, report: ReportStep = lambda step, note: None) -> dict[str, float]:
    """Fine-tune without writing a run; return the scores of the test set."""
    tuning = untracked(objective, base, objective.config, objective.device)
    with own_random_state(objective.device):
        objective.module.train()
        for step in range(objective.steps):
            report(step, None)
            take_step(tuning, step)
    report(objective.steps, None)
    return objective.scores()


def load_task_model(run: Run, step: int) -> TaskModel:
    """Return the model of a supervised run with its head, as it was at a step, in evaluation mode.

    Raises
    ------
    InputError
        If the run was not fine-tuned on a task, or has no such step.
    """
    described = run.info.get("task")
    if described is None:
        raise InputError(f"run {run.name!r} was not fine-tuned on a task: make one with  python -m trainer.supervised")
    module = TaskModel(load_model(run, step), described["kind"], len(described["labels"])).eval()
    snapshot = run.snapshot(step)
    with torch.no_grad():
        for name, parameter in module.task_head.named_parameters():
            parameter.copy_(torch.tensor(snapshot.tensor(f"{HEAD}{name}")))
    return module
