"""The number of threads is chosen by measurement, at the start and as the machine becomes busy or quiet; a number that is given stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.reliability.crashes.power_loss import small_config
from trainer.session import start
from trainer.threads import RETRY_S, TRIAL_SHARE, ThreadChoice, fastest_threads, thread_candidates

Seconds = Callable[[float, int], float]
"""The duration of a step at a time, with a number of threads."""


def test_the_number_of_threads_that_is_fastest_is_found_and_set() -> None:
    before = torch.get_num_threads()
    try:
        slow_with_two = lambda: time.sleep(0.002 * torch.get_num_threads())  # noqa: E731
        assert fastest_threads(slow_with_two, [2, 1], rounds=3) == 1
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_candidates_rise_from_one_to_the_cores_and_no_further_than_four(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, expected in ((1, (1,)), (2, (1, 2)), (3, (1, 2, 3)), (4, (1, 2, 4)), (64, (1, 2, 4))):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert thread_candidates() == expected


def simulate(
    seconds: Seconds, until: float, candidates: tuple[int, ...] = (1, 2), first: int = 2
) -> list[tuple[float, int]]:
    """Train on a machine whose steps take so long; return the time and the number of threads of each step."""
    now, number, steps = 0.0, first, list[tuple[float, int]]()

    def set_to(chosen: int) -> None:
        nonlocal number
        number = chosen

    choice = ThreadChoice(candidates, lambda: now, lambda: number, set_to)
    while now < until:
        steps.append((now, number))
        took = seconds(now, number)
        now += took
        choice.took(took)
    return steps


def steps_with(steps: list[tuple[float, int]], number: int, begin: float, end: float) -> float:
    """Return the share of the steps within some time that had a number of threads."""
    some = [threads for time, threads in steps if begin <= time < end]
    return some.count(number) / len(some)


def test_a_machine_that_becomes_busy_and_quiet_again_is_followed() -> None:
    def seconds(now: float, number: int) -> float:
        is_busy = 30 <= now < 90
        return ((0.09, 1.5) if is_busy else (0.035, 0.02))[number - 1]

    steps = simulate(seconds, 200)
    assert steps_with(steps, 2, 0, 30) > 0.9
    assert steps_with(steps, 1, 36, 90) > 0.9
    assert steps_with(steps, 2, 110, 200) > 0.9


def test_a_core_that_becomes_free_unnoticed_is_found_by_trying() -> None:
    """With one thread beside one other program nothing changes when that ends."""
    steps = simulate(lambda now, number: (0.035, 0.06 if now < 60 else 0.02)[number - 1], 240)
    assert steps_with(steps, 1, RETRY_S[0] + 2, 60) > 0.9
    assert steps_with(steps, 2, 60 + RETRY_S[1], 240) > 0.9


@pytest.mark.parametrize("slow", [0.05, 0.5, 5.0])
def test_trials_that_gain_nothing_cost_little(slow: float) -> None:
    steps = simulate(lambda now, number: (0.035, slow)[number - 1], 3000, first=1)
    lost = sum(slow - 0.035 for _, number in steps if number == 2)
    assert lost < (TRIAL_SHARE + 0.01) * 3000
    assert any(number == 2 for _, number in steps), "it has tried"


def test_of_three_numbers_the_best_is_reached() -> None:
    steps = simulate(lambda now, number: {1: 0.05, 2: 0.03, 4: 0.02}[number], 120, (1, 2, 4), first=1)
    assert steps_with(steps, 4, 60, 120) > 0.9
    steps = simulate(lambda now, number: {1: 0.03, 2: 0.2, 4: 2.0}[number], 120, (1, 2, 4), first=4)
    assert steps_with(steps, 1, 60, 120) > 0.9


def test_noise_alone_changes_nothing() -> None:
    draw = np.random.default_rng(1)
    steps = simulate(lambda now, number: (0.035, 0.02)[number - 1] * draw.lognormal(0, 0.25), 300)
    assert steps_with(steps, 2, 0, 300) > 0.95


def test_a_number_that_is_given_stays_and_one_that_is_chosen_differs_by_rounding(
    text_file: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to, asked = torch.set_num_threads, list[int]()

    class Restless(ThreadChoice):
        """Takes another number at every step."""

        def took(self, seconds: float) -> None:
            asked.append(1 + len(asked) % 2)
            set_to(asked[-1])

    monkeypatch.setattr("trainer.loop.training.ThreadChoice", Restless)
    before = torch.get_num_threads()
    try:
        fixed = start(small_config(text_file, threads=1), "fixed")
        fixed.go(lambda step, note: None)
        assert not asked
        assert torch.get_num_threads() == 1
        assert all("threads" not in record for record in fixed.run.metrics())
        chosen = start(small_config(text_file, threads=None), "chosen")
        chosen.go(lambda step, note: None)
    finally:
        set_to(before)
    assert len(asked) == 24
    assert {record["threads"] for record in chosen.run.metrics()[1:]} <= {1, 2}
    losses = [run.metrics()[-1]["val_loss_whole"] for run in (fixed.run, chosen.run)]
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
