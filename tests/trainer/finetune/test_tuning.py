"""What all kinds of fine-tuning share: schedules, accumulation, the run, stopping and resuming."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from data.errors import InputError
from data.runs import Run, open_run
from trainer.finetune.base_snapshot import Base, grow, open_base, run_name, trainable, weights_of
from trainer.finetune.finetune_config import TuneConfig, check, schedule
from trainer.finetune.tuning import resume_tuning, start_tuning, tuning_procedure
from trainer.loading import Model, load_model
from trainer.loop import Procedure, Training, take_step
from trainer.loop.stopping import Stopped
from trainer.optimizers.recipes import initialise
from trainer.optimizers.schedules import Linear
from trainer.supervised.task_model import TaskModel

CONFIG = TuneConfig(learning_rate=1e-3, micro_batch=2, accumulate=2, threads=1, seed=3, weight_decay=0.1)
CPU = torch.device("cpu")
QUIET = lambda step, note: None  # noqa: E731


@dataclass(frozen=True)
class Windows:
    """An objective for tests: the next token in random windows."""

    model: Model
    config: TuneConfig = CONFIG
    steps: int = 8
    sizes: tuple[int, ...] = (2, 2)

    @property
    def module(self) -> nn.Module:
        return self.model

    @cached_property
    def procedure(self) -> Procedure:
        return tuning_procedure(self.model, self.config, self.steps, CPU)

    def weights(self) -> dict[str, Any]:
        return weights_of(self.model)

    def losses(self, step: int) -> Iterator[Tensor]:
        draw = np.random.default_rng(step)
        windows = torch.from_numpy(draw.integers(0, 20, (sum(self.sizes), self.model.config.block_size + 1)))
        for part in windows.split(list(self.sizes)):
            yield self.model(part[:, :-1], part[:, 1:])[1] * len(part) / sum(self.sizes)

    def evaluate(self, step: int) -> dict[str, float]:
        loss = sum(float(part) for part in self.losses(999))
        return {"train_loss": loss, "val_loss": loss, "tokens": 64 * step}

    def sample(self, step: int) -> None:
        return None


def tuned(base: Base, name: str, config: TuneConfig = CONFIG, **changed: Any) -> Training[Windows]:
    return started(Windows(trainable(base, dropout=config.dropout), config, **changed), base, name)


def started(objective: Windows, base: Base, name: str) -> Training[Windows]:
    info = {"tokenizer": base.run.info["tokenizer"], "corpus": base.run.info["corpus"]}
    return start_tuning(objective, objective.config, base, info, name=name)


@given(warmup=st.integers(0, 30), steps=st.integers(1, 100), step=st.integers(0, 130))
@settings(deadline=None)
def test_the_schedule_is_that_of_transformers(warmup: int, steps: int, step: int) -> None:
    from transformers import get_linear_schedule_with_warmup

    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_linear_schedule_with_warmup(optimizer, warmup, steps)
    assert Linear(warmup, steps)(step) == pytest.approx(theirs.lr_lambdas[0](step))


@pytest.mark.parametrize(("steps", "warmup"), [(40, 4), (9, 0), (36_000, 3600), (60_000, 5000)])
def test_the_warm_up_takes_5000_steps_or_a_tenth_if_that_is_less(steps: int, warmup: int) -> None:
    assert schedule(TuneConfig(), steps) == Linear(warmup, steps)
    assert schedule(TuneConfig(warmup_steps=7), steps) == Linear(7, steps)


@pytest.mark.parametrize("sizes", [(4,), (1, 1, 1, 1), (3, 1)])
def test_accumulated_micro_batches_make_the_step_of_the_big_batch(run: Run, sizes: tuple[int, ...]) -> None:
    base = open_base("tiny")
    config = dataclasses.replace(CONFIG, warmup_steps=0)
    whole, parts = tuned(base, "whole", config, sizes=(4,)), tuned(base, "parts", config, sizes=sizes)
    before = [p.clone() for p in whole.objective.model.parameters()]
    losses = take_step(whole.objective, 0).loss, take_step(parts.objective, 0).loss
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert any(not torch.equal(p, q) for p, q in zip(whole.objective.model.parameters(), before, strict=True))
    for p, q in zip(whole.objective.model.parameters(), parts.objective.model.parameters(), strict=True):
        torch.testing.assert_close(
            p, q, rtol=0, atol=2e-5
        )  # AdamW's first step has length 1e-3 however small the gradient


def test_a_step_is_that_of_clipped_adamw_at_the_rate_of_the_schedule(run: Run) -> None:
    base = open_base("tiny")
    config = dataclasses.replace(CONFIG, clip=0.05, warmup_steps=2)
    tuning, model = tuned(base, "mine", config), trainable(base)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and not name.startswith(("wte", "wpe"))]
    others = [p for name, p in model.named_parameters() if p.ndim == 1 or name.startswith(("wte", "wpe"))]
    oracle = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=1e-3
    )
    for step, share in enumerate((0, 1 / 2, 1, 5 / 6)):
        take_step(tuning.objective, step)
        for group in oracle.param_groups:
            group["lr"] = 1e-3 * share
        sum(Windows(model).losses(step)).backward()
        assert nn.utils.clip_grad_norm_(model.parameters(), 0.05) > 0.05
        oracle.step()
        oracle.zero_grad()
    for p, q in zip(tuning.objective.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-5)


def test_the_run_starts_with_the_base_and_names_it(run: Run) -> None:
    base = open_base("tiny@40")
    tuning = tuned(base, "after")
    measured = tuning.go(QUIET)
    written = open_run("after")
    assert [snapshot.step for snapshot in written.snapshots()] == list(range(9))
    first, source = written.snapshot(0).tensors(), run.snapshot(40).tensors()
    assert all((first[name] == source[name]).all() for name in source)
    assert written.info["base"] == {"run": "tiny", "step": 40, "sha256": run.snapshot(40).sha256}
    last = load_model(written, 8)
    for (name, p), q in zip(last.named_parameters(), tuning.objective.model.parameters(), strict=True):
        assert torch.equal(p, q), name
    metrics = written.metrics()
    assert metrics[-1] == measured
    assert [record["step"] for record in metrics] == list(range(9))
    assert metrics[0]["val_loss"] > metrics[-1]["val_loss"]
    assert [record["lr"] for record in metrics][:3] == pytest.approx([0, 1e-3, 1e-3 * 7 / 8])


def test_the_same_seed_gives_the_same_bytes_whatever_the_caller_drew(run: Run) -> None:
    config = dataclasses.replace(CONFIG, dropout=0.3)
    for name in ("one", "two"):
        torch.manual_seed(ord(name[0]))
        before = torch.get_rng_state()
        tuned(open_base("tiny"), name, config).go(QUIET)
        assert torch.equal(before, torch.get_rng_state())
    one, two = ([s.sha256 for s in open_run(name).snapshots()] for name in ("one", "two"))
    assert one == two
    tuned(open_base("tiny"), "other", dataclasses.replace(config, seed=4)).go(QUIET)
    assert [s.sha256 for s in open_run("other").snapshots()][2:] != one[2:]


def test_a_resumed_tuning_equals_an_uninterrupted_one(run: Run) -> None:
    base, config = open_base("tiny"), dataclasses.replace(CONFIG, dropout=0.2)
    tuned(base, "whole", config).go(QUIET)

    def stop_at_5(step: int, note: str | None) -> None:
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped) as stopped:
        tuned(base, "parts", config).go(stop_at_5)
    assert stopped.value.step == 5
    parts = open_run("parts")
    assert [s.defect() for s in parts.snapshots()] == [None] * 6
    resume_tuning(parts, Windows(trainable(Base(parts, 0), dropout=0.2), config), config).go(QUIET)
    whole = open_run("whole")
    assert [s.sha256 for s in parts.snapshots()] == [s.sha256 for s in whole.snapshots()]
    timeless = [[{**r, "seconds": 0} for r in one.metrics()] for one in (whole, parts)]
    assert timeless[0] == timeless[1]


def test_new_rows_are_drawn_small_and_the_others_stay(run: Run) -> None:
    model = trainable(open_base("tiny"))
    before = model.wte.weight.detach().clone()
    grow(model, len(before) + 500, len(before), seed=1)
    after = model.wte.weight.detach()
    assert torch.equal(after[: len(before)], before)
    assert float(after[len(before) :].std()) == pytest.approx(0.02, rel=0.05)
    assert abs(float(after[len(before) :].mean())) < 0.001
    logits, _ = model(torch.tensor([[len(before) + 7, 1]]))
    assert logits.shape[-1] == len(before) + 500
    assert model.wte.weight.requires_grad


def test_rows_head_and_first_weights_of_one_seed_have_nothing_in_common(run: Run) -> None:
    model = trainable(open_base("tiny"))
    n = model.config.vocab_size
    initialise(model, "reference", seed=3)
    grow(model, n + 8, n, seed=3)
    table = model.wte.weight.detach()
    head = TaskModel(model, "classification", 8, seed=3).task_head.weight.detach()
    for one, other in ((table[n:], table[:8]), (table[n:], head), (table[:8], head)):
        assert abs(float(torch.corrcoef(torch.stack([one.ravel(), other.ravel()]))[0, 1])) < 5 / one.numel() ** 0.5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tiny@41", "no snapshot of step 41; it has 0, 1, 2"),
        ("tiny@last", "'last' is no step"),
        ("other", "there is no run 'other'"),
        ("./nowhere", "nowhere"),
    ],
)
def test_a_missing_base_is_named(run: Run, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_base(name)


def test_the_last_snapshot_is_the_base_where_no_step_is_given(run: Run) -> None:
    assert open_base("tiny").step == 60


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("micro_batch", 0),
        ("accumulate", -1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("clip", -1.0),
        ("dropout", 1.0),
        ("warmup_steps", -1),
        ("snapshot_every", 0),
        ("seed", 2**63),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(InputError, match=field):
        check(dataclasses.replace(TuneConfig(), **{field: value}))


class Bursting(Windows):
    """Whose weights are no numbers from the third step on."""

    def losses(self, step: int) -> Iterator[Tensor]:
        for loss in super().losses(step):
            yield loss
            if step == 2:
                self.model.get_parameter("ln_f.weight").grad.fill_(math.nan)  # type: ignore[union-attr]


def bursting(base: Base, **changed: Any) -> Training[Windows]:
    config = dataclasses.replace(CONFIG, clip=0.0, **changed)
    return started(Bursting(trainable(base), config), base, "burst")


@pytest.mark.parametrize("eval_every", [1, 8])
def test_a_loss_that_is_no_number_ends_the_tuning_and_leaves_what_was_sound(run: Run, eval_every: int) -> None:
    tuning = bursting(open_base("tiny"), eval_every=eval_every, snapshot_every=1)
    with pytest.raises(InputError, match="no longer a number at step 3: tune again with a lower `learning_rate`"):
        tuning.go(QUIET)
    assert [snapshot.step for snapshot in tuning.run.sound_snapshots()] == [0, 1, 2]
    assert [line["step"] for line in tuning.run.metrics()] == [step for step in (0, 1, 2) if step % eval_every == 0]


def test_a_new_run_that_learned_nothing_is_removed_and_a_resumed_one_stays(run: Run) -> None:
    config = dataclasses.replace(CONFIG, learning_rate=1e30, clip=0.0)
    tuning = tuned(open_base("tiny"), "burst", config)
    with pytest.raises(InputError, match="no longer a number"):
        tuning.go(QUIET)
    assert not tuning.run.path.exists()
    stopped = tuned(open_base("tiny"), "stopped", config)
    assert stopped.lock is not None
    stopped.lock.release()
    again = resume_tuning(stopped.run, stopped.objective, config)
    with pytest.raises(InputError, match="no longer a number"):
        again.go(QUIET)
    assert [snapshot.step for snapshot in again.run.snapshots()] == [0]


def test_a_tuning_stopped_at_its_first_step_writes_each_record_once(run: Run) -> None:
    stopped = tuned(open_base("tiny"), "stopped")
    with pytest.raises(Stopped):
        stopped.go(lambda step, note: os.kill(os.getpid(), signal.SIGINT))
    again = Windows(trainable(Base(stopped.run, 0)))
    resume_tuning(stopped.run, again, CONFIG).go(QUIET)
    assert [record["step"] for record in stopped.run.metrics()] == list(range(9))
    assert [snapshot.step for snapshot in stopped.run.snapshots()] == list(range(9))


def test_a_file_name_becomes_the_name_of_a_run() -> None:
    assert run_name("my reviews (1)") == "my-reviews-1"
