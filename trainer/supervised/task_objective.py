"""Supervised fine-tuning of a snapshot, or of the same model with freshly drawn weights.

`prepare` turns a task into an objective; `tune` writes a run of it, and `tune_without_run` only measures its scores.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from data.tasks.examples import Task
from data.tokens.special_tokens import with_special_tokens
from data.tokens.tokenizers import Tokenizer, known_part
from trainer.finetune.base_snapshot import Base, grow, trainable, weights_of
from trainer.finetune.tuning import resume_tuning, start_tuning, tuning_procedure
from trainer.generation.sampling import generate_tokens
from trainer.loading import HEAD, Model, blank_model, load_model
from trainer.loop import SAMPLE_TEMPERATURE, Procedure, Training, evaluating, take_step
from trainer.loop.divergence import not_finite
from trainer.model import GPT
from trainer.optimizers.recipes import RECIPES, initialise
from trainer.seeds import own_random_state
from trainer.supervised.input_transforms import SPECIAL_TOKENS, Encoded, Specials, drawn, encode_examples
from trainer.supervised.task_config import TaskConfig, check, with_warm_up
from trainer.supervised.task_model import TaskModel
from trainer.supervised.task_scores import score

EVALUATED_EXAMPLES = 256
"""Examples of each set in an evaluation; the last evaluation covers the whole test set."""

ROWS_AT_ONCE = 128
SAMPLE_TOKENS = 60
PROMPT_TOKENS = 16


@dataclass(frozen=True)
class TaskObjective:
    """Learning a task (see `trainer.loop.Objective`).

    ``module`` is the model with its head; ``train`` and ``test`` are the encoded examples.
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
        """The number of examples in a step."""
        return self.config.micro_batch * self.config.accumulate

    @property
    def steps_an_epoch(self) -> int:
        """The number of steps in which every example is seen once; the last may have fewer examples than the others."""
        return math.ceil(len(self.train) / self.batch_size)

    @property
    def steps(self) -> int:
        return self.steps_an_epoch * self.config.epochs

    @cached_property
    def procedure(self) -> Procedure:
        procedure = tuning_procedure(self.module, self.config, self.steps, self.device)
        return dataclasses.replace(procedure, may_explode=False)  # the language model may be given up for the task

    def weights(self) -> dict[str, NDArray[Any]]:
        """Collect the tensors of a snapshot by name: those of the model and of the head."""
        head = {f"{HEAD}{name}": p.detach().cpu().numpy() for name, p in self.module.task_head.named_parameters()}
        return weights_of(self.model) | head

    def losses(self, step: int) -> Iterator[Tensor]:
        numbers, size = self.numbers(step), self.config.micro_batch
        parts = [numbers[first : first + size] for first in range(0, len(numbers), size)]
        batches = [self.train.batch(part) for part in parts]
        n_predicted = max(1, sum(batch.n_predicted for batch in batches))
        for part, batch in zip(parts, batches, strict=True):
            # The task's loss is weighted by examples and the text's by tokens: the step equals that of one large batch.
            by_tokens = batch.n_predicted / n_predicted * len(numbers) / len(part)
            losses = self.module.losses(batch, self.config.lm_weight * by_tokens, self.device)
            yield losses.total * len(part) / len(numbers)

    def evaluate(self, step: int) -> dict[str, float]:
        """Measure the language-model losses on the texts (``train_loss`` and ``val_loss``), those of the task, and its scores.

        They are measured on some examples of each set, and at the last step on the whole test set.
        """
        tested = drawn(len(self.test), len(self.test) if step == self.steps else EVALUATED_EXAMPLES)
        found: dict[str, float] = {}
        seen = drawn(len(self.train), EVALUATED_EXAMPLES)
        for split, examples, numbers in (("train", self.train, seen), ("val", self.test, tested)):
            outputs, task, text = self._read(examples, numbers)
            found |= {f"{split}_loss": text, f"{split}_task_loss": task}
        scores = score(self.task, self._predicted(outputs, step), tested)
        tokens_an_example = round(float(np.mean([sum(map(len, each)) for each in self.train.sequences])))
        return {**found, **scores, "tokens": float(step * self.batch_size * tokens_an_example)}

    def sample(self, step: int) -> Mapping[str, object] | None:
        """Generate a continuation of a text of the test set, which shows how much of the language model is left."""
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
        start = self.tokenizer.decode(prompt.cpu().numpy())
        return {"prompt": start, "text": text, "temperature": SAMPLE_TEMPERATURE, "seed": seed}

    def scores(self) -> dict[str, float]:
        """Score the predictions for the test set (see `trainer.supervised.task_scores.score`)."""
        with evaluating(self.module):
            outputs, _, _ = self._read(self.test, np.arange(len(self.test)))
        return score(self.task, self._predicted(outputs, self.steps))

    @torch.no_grad()
    def _read(self, examples: Encoded, numbers: NDArray[np.int64]) -> tuple[Tensor, float, float]:
        """Compute the outputs of the head for some examples, (example, class), and the losses of the task and of the text."""
        outputs: list[Tensor] = []
        task = text = 0.0
        n_predicted = 0
        at_once = max(1, ROWS_AT_ONCE // self.module.n_sequences)
        for first in range(0, len(numbers), at_once):
            some = numbers[first : first + at_once]
            batch = examples.batch(some)
            losses = self.module.losses(batch, self.config.lm_weight, self.device)
            outputs.append(losses.scores)
            task += losses.task.item() * len(some) / len(numbers)
            text += losses.text.item() * batch.n_predicted
            n_predicted += batch.n_predicted
        return torch.cat(outputs), task, text / max(1, n_predicted)

    def _predicted(self, outputs: Tensor, step: int) -> NDArray[Any]:
        """Predict classes, or scores of a regression, (example,)."""
        if not outputs.isfinite().all():  # argmax would still choose a class, and so give a score
            raise not_finite(step, self.procedure.advice)
        return (outputs[:, 0] if self.task.is_regression else outputs.argmax(-1)).cpu().numpy()

    def numbers(self, step: int) -> NDArray[np.int64]:
        """Draw the examples of a step; every epoch has each example once, in an order of its own."""
        epoch, place = divmod(step, self.steps_an_epoch)
        order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.train))
        return order[place * self.batch_size : (place + 1) * self.batch_size]


def prepare(
    base: Base, task: Task, config: TaskConfig, device: torch.device, *, pre_trained: bool = True
) -> TaskObjective:
    """Build the objective of a task: the model with rows for the new tokens and a head, and the encoded examples.

    The seed of ``config`` is that of the new rows, of the head and, without ``pre_trained``, of all other weights. An `InputError` says
    if the base cannot be tuned, or knows no symbol of the training texts.
    """
    check(config)
    old = base.run.tokenizer
    tokenizer = with_special_tokens(old, SPECIAL_TOKENS)
    ids = tokenizer.special_tokens
    specials = Specials(*(ids[name] for name in SPECIAL_TOKENS))
    is_foreign = base.run.info.get("model", {}).get("kind") == "hf"
    model = trainable(base, dropout=None if is_foreign else config.dropout)  # other classes have their own dropout
    if not pre_trained:
        reinitialise(model, base, config.seed)
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


def reinitialise(model: Model, base: Base, seed: int) -> None:
    """Draw all weights of a model anew, by the scheme of its run's training, or by that of its own class."""
    if isinstance(model, GPT):
        recipe = RECIPES.get(base.run.info.get("training", {}).get("recipe", ""), RECIPES["reference"])
        initialise(model, recipe.initialisation, seed)
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = blank_model(base.run)
    model.load_state_dict(fresh.state_dict())


def start_task(objective: TaskObjective, base: Base, name: str, request: Mapping[str, Any]) -> Training[TaskObjective]:
    """Make a new run; ``request`` are the options that read its task again, which ``task`` in run.json records."""
    task = objective.task
    info = {"tokenizer": objective.tokenizer.to_json()}
    if corpus := base.run.info.get("corpus"):
        # Under a name or path that finds it, so that probes read the same text of both runs; a path, where it is the user's own.
        source = base.run.info.get("training", {}).get("corpus")
        info["corpus"] = {**corpus, "name": source or corpus.get("name")}
    info["task"] = {**describe_task(task), "request": dict(request)}
    return start_tuning(objective, objective.config, base, info, name=name)


def resume_task(run: Run, objective: TaskObjective) -> Training[TaskObjective]:
    """Resume a run where it stopped; an `InputError` says if its task is another one than that of the objective."""
    before, now = run.info["task"], describe_task(objective.task)
    if {name: before.get(name) for name in now} != now:
        raise InputError(f"the task of run {run.name!r} reads other data now: put the files back as they were")
    return resume_tuning(run, objective, objective.config)


def describe_task(task: Task) -> dict[str, Any]:
    """Describe a task for run.json and the report."""
    described = {"name": task.name, "kind": task.kind, "labels": list(task.labels), "origin": task.origin}
    return described | ({"reading": task.reading} if task.reading else {})


def tune_without_run(objective: TaskObjective, progress: Progress = lambda step: None) -> dict[str, float]:
    """Fine-tune without writing a run; return the scores of the test set."""
    with own_random_state(objective.device):
        objective.module.train()
        for step in range(objective.steps):
            progress(step)
            take_step(objective, step)
    progress(objective.steps)
    return objective.scores()


def load_task_model(run: Run, step: int) -> TaskModel:
    """Load the model of a supervised run with its head at a step, in evaluation mode."""
    described = run.info.get("task")
    if described is None:
        raise InputError(f"run {run.name!r} was not fine-tuned on a task: make one with  python -m trainer.supervised")
    module = TaskModel(load_model(run, step), described["kind"], len(described["labels"])).eval()
    snapshot = run.snapshot(step)
    with torch.no_grad():
        for name, parameter in module.task_head.named_parameters():
            parameter.copy_(torch.tensor(snapshot.tensor(f"{HEAD}{name}")))
    return module
