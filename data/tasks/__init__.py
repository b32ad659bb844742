"""Supervised examples: their kinds, tasks made from the plays, and tasks read from files."""

from data.tasks.examples import Classification, Entailment, Example, MultipleChoice, Similarity, Task
from data.tasks.line_choices import draw_line_choices
from data.tasks.play_tasks import play_task
from data.tasks.task_files import Columns, read_task

__all__ = [
    "Classification",
    "Columns",
    "Entailment",
    "Example",
    "MultipleChoice",
    "Similarity",
    "Task",
    "draw_line_choices",
    "play_task",
    "read_task",
]
