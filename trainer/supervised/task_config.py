"""Configuration of supervised fine-tuning; the defaults are those of the paper on GPT-1. Importing it needs no torch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from trainer.field_checks import check_at_least
from trainer.finetune import finetune_config
from trainer.finetune.finetune_config import TuneConfig

WARMUP_SHARE = 0.002
"""Warm-up as a share of the steps (Radford et al. 2018, section 4.1)."""


@dataclass(frozen=True)
class TaskConfig(TuneConfig):
    """The configuration of a supervised fine-tuning except its task; defaults of Radford et al. (2018), section 4.1."""

    learning_rate: float = 6.25e-5
    """Peak learning rate of AdamW. The default is the paper's, for 116 million parameters; small models need more, 1e-3 say."""
    warmup_steps: int | None = None
    """Steps in which the learning rate rises; 0.2% of all if not given."""
    weight_decay: float = 0.01
    """Weight decay of AdamW, on matrices only: gains, biases and tables do not decay."""
    epochs: int = 3
    """How often every example is seen."""
    micro_batch: int = 32
    """Examples in one pass through the model."""
    accumulate: int = 1
    """Micro-batches in a step; their gradients are added up."""
    dropout: float | None = 0.1
    """Share of activations set to zero at random in training, also before the head."""
    lm_weight: float = 0.5
    """Weight of the language-model loss on the task's texts, which is added to the task's loss; 0 leaves it out."""


def check(config: TaskConfig) -> TaskConfig:
    """Check a configuration and return it; an `InputError` names the field that is wrong."""
    finetune_config.check(config)
    check_at_least(config, 0, "lm_weight")
    return config


def with_warm_up(config: TaskConfig, steps: int) -> TaskConfig:
    """Fill in the warm-up of a configuration: `WARMUP_SHARE` of all steps if it is not set."""
    if config.warmup_steps is not None:
        return config
    return dataclasses.replace(config, warmup_steps=round(WARMUP_SHARE * steps))
