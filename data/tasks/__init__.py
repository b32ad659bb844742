"""Supervised examples: their kinds, tasks made from the plays, and tasks read from files."""

from data.tasks.examples import Classification, Entailment, MultipleChoice, Similarity, Task
from data.tasks.play_tasks import play_task
from data.tasks.task_files import read_task

__all__ = ["Classification", "Entailment", "MultipleChoice", "Similarity", "Task", "play_task", "read_task"]
