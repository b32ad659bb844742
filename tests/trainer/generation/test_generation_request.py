"""The context window, and the checks of a request."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from trainer.generation.generation_request import GenerationRequest, Window, window_start

quick = settings(deadline=None, max_examples=60)
WINDOWS: Sequence[Window] = ("slide", "half")


@quick
@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 300), st.sampled_from(WINDOWS))
def test_a_window_fits_the_context_and_never_moves_back(n_prompt: int, block: int, n_more: int, window: Window) -> None:
    starts = [window_start(n, n_prompt, block, window) for n in range(n_prompt, n_prompt + n_more + 1)]
    for n, start in enumerate(starts, n_prompt):
        assert 0 <= start < n
        assert n - start <= block
        assert n - start >= (min(n, block) if window == "slide" else min(n, -(-block // 2)))
    assert starts == sorted(starts)
    assert starts[0] == max(0, n_prompt - block)


@pytest.mark.parametrize(
    ("wrong", "returned"),
    [
        ({"n_tokens": 0}, "the number of tokens must be between 1 and 1,000,000; got 0"),
        ({"n_samples": 0}, "the number of samples must be between 1 and 256; got 0"),
        ({"seed": -1}, "the seed must be 0 or more; got -1"),
        (
            {"stop": ("a", "")},
            "a stop sequence is empty, and would end every text at once: give at least one character",
        ),
        ({"window": "whole"}, "there is no window 'whole'; there is slide, half"),
    ],
)
def test_an_invalid_request_is_refused_by_name(wrong: dict[str, object], returned: str) -> None:
    with pytest.raises(InputError, match=f"^{returned}$"):
        GenerationRequest(**wrong)  # type: ignore[arg-type]
