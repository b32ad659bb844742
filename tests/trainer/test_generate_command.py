"""`python -m trainer.generate`: text as it comes, the same for the same seed; mistakes in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from data.commands import parse
from data.errors import InputError
from data.runs import Run
from data.runs.traces import list_traces, read_trace
from tests.commands import assert_mistake, command
from trainer.generate import PROG, GenerateArguments, main
from trainer.generation import Decoding, GenerationRequest, generate_samples
from trainer.loading import load_model

Captured = pytest.CaptureFixture[str]


def generate(*options: str) -> None:
    """Run the command with these options, in the process of the test."""
    main(parse(GenerateArguments, prog=PROG, args=list(options)))


def prompt_of(run: Run) -> str:
    return str(run.samples()[-1]["text"])[:6]


def test_the_command_prints_prompt_and_text_of_the_requested_snapshot(run: Run, capsys: Captured) -> None:
    prompt, texts = prompt_of(run), {}
    for step in (0, 60):
        generate("--prompt", prompt, "--step", str(step), "--tokens", "30", "--seed", "4")
        request = GenerationRequest(30, seed=4)
        (sample,) = generate_samples(load_model(run, step), run.tokenizer, prompt, Decoding(), request)
        printed = capsys.readouterr()
        assert printed.out == prompt + sample.text + "\n"
        assert "of these the model sees the last 16" in printed.err  # the text is longer than the context
        texts[step] = printed.out
    assert texts[0] != texts[60]


def test_several_samples_have_titles_and_the_first_is_that_of_a_single_one(run: Run, capsys: Captured) -> None:
    options = ("--tokens", "12", "--stop", "\\n", "--stop", "~~")
    generate(*options)
    single = capsys.readouterr().out
    several = command("trainer.generate", *options, "--samples", "3")
    assert several.returncode == 0, several.stderr
    assert several.stdout.startswith("--- sample 1 of 3 ---\n" + single)
    assert several.stdout.count("--- sample") == 3


def test_a_trace_holds_the_candidates_of_every_token(run: Run, capsys: Captured) -> None:
    prompt = prompt_of(run)
    generate("--prompt", prompt, "--tokens", "9", "--samples", "2", "--top-k", "3", "--trace", "--step", "60")
    printed = capsys.readouterr()
    (name,) = list_traces(run)
    assert f"--trace {name}" in printed.err
    trace = read_trace(run, name)
    assert trace.header["step"] == 60
    assert trace.header["sha256"] == run.snapshot(60).sha256
    assert "".join(trace.header["prompt_tokens"]) == prompt
    assert trace.header["decoding"]["top_k"] == 3
    first = trace.of_sample(0)
    assert [step["position"] for step in first] == list(range(9))
    assert prompt + "".join(step["token"] for step in first) in printed.out
    for step in trace.steps:
        possible = [candidate for candidate in step["candidates"] if candidate[3] > 0]
        assert len(possible) == 3
        assert sum(candidate[3] for candidate in possible) == pytest.approx(1, abs=1e-5)
        assert [step["id"], step["token"], step["probability"], step["drawn_from"]] in possible
        ordered = [(candidate[3], candidate[2]) for candidate in step["candidates"]]
        assert ordered == sorted(ordered, reverse=True)
    assert len(json.dumps(trace.header)) > 0


def test_the_options_of_hugging_face_and_of_the_article_are_options_of_the_command(run: Run, capsys: Captured) -> None:
    options = ["--repetition-penalty", "1.5", "--no-repeat-ngram-size", "3", "--typical-p", "0.9", "--tokens", "9"]
    generate(
        "--prompt", "bab", *options, "--frequency-penalty", "2", "--penalize-prompt", "--clean-up-spaces", "--trace"
    )
    decoding = Decoding(
        typical_p=0.9, frequency_penalty=2, penalize_prompt=True, repetition_penalty=1.5, no_repeat_ngram_size=3
    )
    request = GenerationRequest(9, clean_up_spaces=True)
    (sample,) = generate_samples(load_model(run, run.snapshots()[-1].step), run.tokenizer, "bab", decoding, request)
    assert capsys.readouterr().out == f"bab{sample.text}\n"
    header = read_trace(run, list_traces(run)[-1]).header
    assert header["decoding"]["penalize_prompt"] is True
    assert header["request"]["clean_up_spaces"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--temperature", "-1"), "temperature must be 0 (always the likeliest token) or more; got -1"),
        (("--bias", "ba=1"), "a bias belongs to one token, and 'ba' is 2: give each its own --bias"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_option(options: tuple[str, str], message: str, runs: Path) -> None:
    result = command("trainer.generate", *options)
    assert_mistake(result, message)
    assert not result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--top-p", "0"), "top-p must be above 0 and at most 1 (all tokens); got 0"),
        (("--tokens", "0"), "the number of tokens must be between 1 and 1,000,000; got 0"),
        (("--stop", ""), "a stop sequence is empty"),
        (("--step", "7"), "run 'tiny' has no snapshot of step 7; it has 0, 1, 2"),
        (("--prompt", "baъ"), "'ъ' (U+044A) at position 2"),
        (("--prompt", ""), "the prompt is empty"),
        (("--bias", "abc"), "a bias is a token and a number, like u=-0.5; got 'abc'"),
        (("--device", "abacus"), "there is no device 'abacus'"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_written(
    options: tuple[str, str], message: str, runs: Path, capsys: Captured
) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as mistake:
        generate(*options, "--trace")
    assert "\n" not in str(mistake.value)
    assert not capsys.readouterr().out
    assert not (runs / "tiny" / "traces").exists()


def test_a_missing_trace_is_refused_with_the_way_to_record_one(run: Run) -> None:
    with pytest.raises(InputError, match=r"has no trace .x.: record one with"):
        read_trace(run, "x")
