"""What can be chosen about supervised fine-tuning; the defaults are those of the paper on GPT-1. No torch is needed to read it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from data.errors import InputError
from trainer.finetune import finetune_config
from trainer.finetune.finetune_config import TuneConfig

WARMUP_SHARE = 0.002
"""Of all steps (Radford et al. 2018, section 4.1)."""


@dataclass(frozen=True)
class TaskConfig(TuneConfig):
    """Everything about a supervised fine-tuning but its task.

    References
    ----------
    Radford, Narasimhan, Salimans and Sutskever (2018), Improving language understanding by generative pre-training: section 4.1.
    """

    learning_rate: float = 6.25e-5
    """Of AdamW, at the end of the warm-up. The paper's, for 116 million parameters; small models want more, 1e-3 say."""
    warmup_steps: int | None = None
    """Steps in which the learning rate rises; 0.2% of all if not given."""
    weight_decay: float = 0.01
    """Of AdamW, on matrices alone: no gain, bias or table decays."""
    epochs: int = 3
    """How often every example is seen."""
    micro_batch: int = 32
    """Examples that go through the model at once."""
    accumulate: int = 1
    """Micro-batches in a step; their gradients are added up."""
    dropout: float | None = 0.1
    """Share of activations silenced at random while training, also before the head."""
    lm_weight: float = 0.5
    """Weight of the language model's loss on the task's texts, beside the task's own; 0 leaves it out."""


def check(config: TaskConfig) -> TaskConfig:
    """Return ``config`` if it can be trained; an `InputError` says which field cannot be and why."""
    finetune_config.check(config)
    if not 0 <= config.lm_weight < math.inf:
        raise InputError(f"lm_weight must be 0 or more; got {config.lm_weight}: pass --lm-weight 0.5, say")
    return config


def with_warm_up(config: TaskConfig, steps: int) -> TaskConfig:
    """Return the configuration with the steps of its warm-up: `WARMUP_SHARE` of all where it does not say.

    Examples
    --------
    >>> with_warm_up(TaskConfig(), 3000).warmup_steps
    6
    """
    if config.warmup_steps is not None:
        return config
    return dataclasses.replace(config, warmup_steps=round(WARMUP_SHARE * steps))
