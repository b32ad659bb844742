"""Supervised examples: one text or several, with a target.

There are four kinds, those of GPT-1 (Radford et al. 2018, figure 1): `Classification`, `Entailment`, `Similarity` and `MultipleChoice`. A
`Task` has a train set and a test set of one kind. `data.tasks.task_files` reads tasks from files, `data.tasks.play_tasks` makes tasks
from the plays.

Examples
--------
>>> sides = (Classification("to be", 0), Classification("not to be", 1))
>>> task = Task("being", "classification", ("yes", "no"), train=sides, test=sides[:1])
>>> task.labels[task.train[1].target]
'no'
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import InputError


@dataclass(frozen=True)
class Classification:
    """A text and the number of its class."""

    text: str
    target: int

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)


@dataclass(frozen=True)
class Entailment:
    """Two texts whose order matters, and the number of their class."""

    premise: str
    hypothesis: str
    target: int

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.premise, self.hypothesis)


@dataclass(frozen=True)
class Similarity:
    """Two texts whose order does not matter, and a score or the number of a class."""

    first: str
    second: str
    target: float

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.first, self.second)


@dataclass(frozen=True)
class MultipleChoice:
    """A context, its possible continuations, and the number of the right one, counted from 0."""

    context: str
    answers: tuple[str, ...]
    target: int

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.context, *self.answers)


Example = Classification | Entailment | Similarity | MultipleChoice

KINDS: dict[str, type[Any]] = {
    "classification": Classification,
    "entailment": Entailment,
    "similarity": Similarity,
    "choice": MultipleChoice,
}


@dataclass(frozen=True)
class Task:
    """A train set and a test set of examples of one kind.

    Parameters
    ----------
    kind : one of `KINDS`.
    labels : names of the classes; for a choice, of the answers; empty if the targets are scores (similarity only).
    train, test : the examples.
    origin : description of where they come from.
    reading : description of the columns of a file that were read.

    Raises
    ------
    InputError
        If a set is empty, an example is of another kind, or its target is not a class (or not a number).
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    origin: str = ""
    reading: str = ""

    def __post_init__(self) -> None:
        check_kind(self.kind)
        if not self.labels and self.kind != "similarity":
            raise InputError(
                f"task {self.name}: {self.kind} needs the names of its classes; only similarity has scores"
            )
        if len(self.labels) == 1:
            raise InputError(f"task {self.name} has one label, {self.labels[0]!r}: there is nothing to distinguish")
        for split, examples in (("train", self.train), ("test", self.test)):
            if not examples:
                raise InputError(f"task {self.name} has no examples to {_PURPOSE[split]}: give a file that holds some")
            for number, example in enumerate(examples, 1):
                self._check(example, f"example {number:,} of the {split} set of task {self.name}")

    def _check(self, example: Example, which: str) -> None:
        if not isinstance(example, KINDS[self.kind]):
            raise InputError(f"{which} is {type(example).__name__}, and the task is {self.kind}")
        if self.is_regression:
            if not math.isfinite(example.target):
                raise InputError(f"{which} has the score {example.target}: give a number")
        elif example.target not in range(len(self.labels)):
            raise InputError(
                f"{which} has the label {example.target}; the {len(self.labels)} labels are 0 to {len(self.labels) - 1}"
            )
        if isinstance(example, MultipleChoice) and len(example.answers) != len(self.labels):
            raise InputError(f"{which} has {len(example.answers)} answers, and the task has {len(self.labels)}")

    @property
    def is_regression(self) -> bool:
        """Whether the targets are scores instead of classes."""
        return not self.labels

    def targets(self, split: str = "test") -> list[float]:
        """List the targets of the train or the test set, in order."""
        return [example.target for example in getattr(self, split)]

    @property
    def majority(self) -> float:
        """The most frequent class of the train set, or its mean score."""
        targets = self.targets("train")
        if self.is_regression:
            return sum(targets) / len(targets)
        return max(sorted(Counter(targets).items()), key=lambda entry: entry[1])[0]


_PURPOSE = {"train": "learn from", "test": "be judged by"}


def check_kind(kind: str) -> str:
    """Check the name of a kind of task, and return it."""
    if kind not in KINDS:
        raise InputError(f"there is no kind of task {kind!r}; there is {', '.join(KINDS)}")
    return kind


def characters(examples: Sequence[Example]) -> str:
    """Collect the different characters of the texts, sorted, as a character tokenizer needs them."""
    return "".join(sorted({symbol for example in examples for text in example.texts for symbol in text}))
