"""Random streams of one seed: each purpose draws numbers of its own."""

from __future__ import annotations

import torch

from trainer.seeds import NEW_ROWS, TASK_HEAD, generator


def test_two_purposes_of_one_seed_draw_different_numbers_and_each_the_same_again() -> None:
    rows, head = (torch.randn(8, generator=generator(1337, purpose)) for purpose in (NEW_ROWS, TASK_HEAD))
    assert not bool((rows == head).any())
    assert torch.equal(rows, torch.randn(8, generator=generator(1337, NEW_ROWS)))
