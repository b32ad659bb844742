"""python -m trainer.generate: continue a prompt with any snapshot of a run."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import tyro

from data.commands import run_command
from data.errors import InputError
from data.printing import terminal_text
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest

if TYPE_CHECKING:
    from data.runs import Run
    from trainer.loading import Model

PROG = "python -m trainer.generate"


@dataclass(frozen=True)
class GenerateArguments:
    """Continue a prompt with a snapshot of a run, printing the text as it comes.

    Without options: the newest run at its last snapshot, from the prompt of its own samples, at temperature 0.8.
    """

    decoding: tyro.conf.OmitArgPrefixes[Decoding] = field(default_factory=Decoding)
    request: tyro.conf.OmitArgPrefixes[GenerationRequest] = field(default_factory=GenerationRequest)
    run: str | None = None
    """Name of the run; the newest if not given."""
    step: int | None = None
    """The snapshot to use; the last if not given."""
    prompt: str | None = None
    """The text to continue; the prompt of the run's own samples if not given."""
    bias: Annotated[tuple[str, ...], tyro.conf.arg(metavar="TOKEN=NUMBER"), tyro.conf.UseAppendAction] = ()
    """Add a number to a token's logit: u=-0.5 makes it rarer, a=0.5 more frequent; may be given again."""
    trace: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Record the leading candidates at every token, for  python -m viz.figures --only trace."""
    device: str = "cpu"
    """cpu, cuda, mps, or auto."""


def main(options: GenerateArguments) -> None:
    """Generate and print the texts; record a trace on request."""
    from data.runs import open_run
    from trainer.generation.text_generation import choose_prompt, choose_step, suitable_threads, token_biases
    from trainer.loading import load_model
    from trainer.machine import find_device

    request = replace(options.request, stop=tuple(stop.replace("\\n", "\n") for stop in options.request.stop))
    run = open_run(options.run)
    prompt = choose_prompt(run, options.prompt)
    decoding = replace(options.decoding, bias=token_biases(run.tokenizer, map(_parse_bias, options.bias)))
    step = choose_step(run, options.step)
    model = load_model(run, step).to(find_device(options.device))
    _warn_of_cropping(model, len(run.tokenizer.encode(prompt)), request)
    with suitable_threads(model):
        _print(model, run, step, prompt=prompt, decoding=decoding, request=request, trace=options.trace)


def _parse_bias(text: str) -> tuple[str, float]:
    token, equals, number = text.rpartition("=")
    try:
        added = float(number)
    except ValueError:
        equals = ""
    if not (token and equals):
        raise InputError(f"a bias is a token and a number, like u=-0.5; got {text!r}")
    return token, added


def _warn_of_cropping(model: Model, n_prompt: int, request: GenerationRequest) -> None:
    """Print which part of a long prompt or text the model sees."""
    context, total = model.config.block_size, n_prompt + request.n_tokens
    if total <= context:
        return
    if n_prompt > context:
        seen = f"the prompt has {n_prompt} tokens, and the model sees at most {context}: it goes on from the last {context}"
    else:
        part = f"the last {context}"
        if request.window == "half":
            part = f"between {context // 2} and {context} of the last"
        seen = f"prompt and text have up to {total} tokens; of these the model sees {part}"
    print(f"{PROG}: {seen}", file=sys.stderr)


def _print(
    model: Model, run: Run, step: int, *, prompt: str, decoding: Decoding, request: GenerationRequest, trace: bool
) -> None:
    """Print the first sample as it comes and the others after it; write the trace."""
    from data.runs.traces import write_trace
    from trainer.generation.recording import TraceRecorder
    from trainer.generation.sampling import stream_text

    tokenizer = run.tokenizer
    recorder = TraceRecorder(tokenizer) if trace else None
    others = [""] * request.n_samples
    _print_title(0, request)
    print(terminal_text(prompt), end="", flush=True)
    record = recorder.record if recorder else None
    try:
        for piece in stream_text(model, tokenizer, prompt, decoding=decoding, request=request, on_step=record):
            if piece.sample == 0:
                print(terminal_text(piece.text), end="", flush=True)
            else:
                others[piece.sample] += piece.text
    finally:
        print()
    for number in range(1, request.n_samples):
        _print_title(number, request)
        print(terminal_text(prompt + others[number]))
    if recorder:
        path = write_trace(run, recorder.trace(run.name, run.snapshot(step), prompt, decoding, request))
        command = f"python -m viz.figures --only trace --run {run.name} --trace {path.stem}"
        print(f"wrote {path}; draw it with  {command}", file=sys.stderr)


def _print_title(number: int, request: GenerationRequest) -> None:
    if request.n_samples > 1:
        print(f"--- sample {number + 1} of {request.n_samples} ---")


if __name__ == "__main__":
    run_command(main, GenerateArguments, prog=PROG)
