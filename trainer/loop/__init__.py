"""The training loop: what is trained (`objective`), one step (`optimizer_step`), all of them (`training`), and what they write and save."""

from trainer.loop.objective import SAMPLE_TEMPERATURE, Objective, Procedure, evaluating, highest_rate
from trainer.loop.optimizer_step import StepTaken, take_step
from trainer.loop.training import Training, check_resumable, describe_standstill, free_name, resume_run, start_run

__all__ = [
    "SAMPLE_TEMPERATURE",
    "Objective",
    "Procedure",
    "StepTaken",
    "Training",
    "check_resumable",
    "describe_standstill",
    "evaluating",
    "free_name",
    "highest_rate",
    "resume_run",
    "start_run",
    "take_step",
]
