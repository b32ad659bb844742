"""`python -m trainer.generate`: text as it comes, the same for the same seed; mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.runs import Run
from data.runs.traces import list_traces, read_trace
from tests.commands import assert_mistake, command
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.sampling import generate_samples
from trainer.loading import load_model

MODULE = "trainer.generate"


def prompt_of(run: Run) -> str:
    return str(run.samples()[-1]["text"])[:6]


def test_the_command_prints_prompt_and_text_of_the_snapshot_asked_for(run: Run) -> None:
    from data.tokens.tokenizers import tokenizer_from_json

    tokenizer = tokenizer_from_json(run.info["tokenizer"])
    prompt, texts = prompt_of(run), {}
    for step in (0, 60):
        result = command(MODULE, "--prompt", prompt, "--step", str(step), "--tokens", "30", "--seed", "4")
        assert result.returncode == 0, result.stderr
        expected = generate_samples(
            load_model(run, step), tokenizer, prompt, Decoding(), GenerationRequest(30, seed=4)
        )[0].text
        assert result.stdout == prompt + expected + "\n"
        texts[step] = result.stdout
    assert texts[0] != texts[60]
    assert "of these the model sees the last 16" in result.stderr  # cropped, with notice


def test_several_samples_are_told_apart_and_the_first_is_the_one_alone(run: Run) -> None:
    alone = command(MODULE, "--tokens", "12", "--stop", "\\n", "--stop", "~~")
    many = command(MODULE, "--tokens", "12", "--stop", "\\n", "--stop", "~~", "--samples", "3")
    assert alone.returncode == many.returncode == 0
    assert many.stdout.startswith("--- sample 1 of 3 ---\n" + alone.stdout)
    assert many.stdout.count("--- sample") == 3


def test_a_trace_holds_what_was_weighed_up_at_every_token(run: Run) -> None:
    prompt = prompt_of(run)
    options = ("--prompt", prompt, "--tokens", "9", "--samples", "2", "--top-k", "3", "--trace", "--step", "60")
    result = command(MODULE, *options)
    assert result.returncode == 0, result.stderr
    (name,) = list_traces(run)
    assert f"--trace {name}" in result.stderr
    trace = read_trace(run, name)
    assert trace.header["step"] == 60
    assert trace.header["sha256"] == run.snapshot(60).sha256
    assert "".join(trace.header["prompt_tokens"]) == prompt
    assert trace.header["decoding"]["top_k"] == 3
    first = trace.of_sample(0)
    assert [step["position"] for step in first] == list(range(9))
    assert prompt + "".join(step["token"] for step in first) in result.stdout
    for step in trace.steps:
        drawable = [candidate for candidate in step["candidates"] if candidate[3] > 0]
        assert len(drawable) == 3
        assert sum(candidate[3] for candidate in drawable) == pytest.approx(1, abs=1e-5)
        assert [step["id"], step["token"], step["probability"], step["drawn_from"]] in drawable
        ordered = [(candidate[3], candidate[2]) for candidate in step["candidates"]]
        assert ordered == sorted(ordered, reverse=True)
    assert len(json.dumps(trace.header)) > 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--temperature", "-1"), "temperature must be 0 (always the likeliest token) or more; got -1"),
        (("--top-p", "0"), "top-p must be above 0 and at most 1 (all tokens); got 0"),
        (("--tokens", "0"), "the number of tokens must be between 1 and 1,000,000; got 0"),
        (("--stop", ""), "a stop sequence is empty"),
        (("--step", "7"), "run 'tiny' has no snapshot of step 7; it has 0, 1, 2"),
        (("--prompt", "baъ"), "'ъ' (U+044A) at position 2"),
        (("--prompt", ""), "the prompt is empty"),
        (("--bias", "abc"), "a bias is a token and a number, like u=-0.5; got 'abc'"),
        (("--bias", "ba=1"), "a bias belongs to one token, and 'ba' is 2"),
        (("--device", "abacus"), "there is no device 'abacus'"),
    ],
)
def test_mistakes_are_told_in_one_line(options: tuple[str, str], told: str, runs: Path) -> None:
    result = command(MODULE, *options)
    assert_mistake(result, told)
    assert not result.stdout
    assert not (runs / "tiny" / "traces").exists()


def test_a_trace_that_is_not_there_is_named_with_those_there_are(run: Run) -> None:
    from data.errors import InputError

    with pytest.raises(InputError, match=r"has no trace .x.: record one with"):
        read_trace(run, "x")
