"""python -m trainer.generate: go on from a prompt, with any snapshot of a run."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.commands import run as run_command
from data.errors import InputError
from trainer.generation.filters import Decoding

if TYPE_CHECKING:
    from torch import Tensor

    from data.runs import Run
    from data.tokens.tokenizers import Tokenizer
    from trainer.generation.generation_request import GenerationRequest
    from trainer.loading import Model

PROG = "python -m trainer.generate"
SMALL = 5_000_000
"""Parameters below which a second thread costs more than it gives: a token's arithmetic is over before it has woken."""


@dataclass(frozen=True)
class GenerateArguments:
    """Go on from a prompt with a snapshot of a run, printing the text as it comes.

    Without options: the newest run at its last snapshot, from the prompt of its own samples, at temperature 0.8.
    """

    decoding: tyro.conf.OmitArgPrefixes[Decoding] = field(default_factory=Decoding)
    run: str | None = None
    """Name of the run; the newest if not given."""
    step: int | None = None
    """The snapshot to use; the last if not given."""
    prompt: str | None = None
    """The text to go on from; what the run's own samples went on from if not given."""
    tokens: int = 200
    """How many tokens to add to it, at most."""
    samples: int = 1
    """How many texts; they are made together, and each is the same whatever their number."""
    seed: int = 0
    """Decides the draws."""
    stop: Annotated[tuple[str, ...], tyro.conf.arg(metavar="TEXT"), tyro.conf.UseAppendAction] = ()
    """A text that ends a sample and is left out of it; may be given again. \\n stands for the end of a line."""
    bias: Annotated[tuple[str, ...], tyro.conf.arg(metavar="TOKEN=NUMBER"), tyro.conf.UseAppendAction] = ()
    """Add a number to a token's logit: u=-0.5 makes it rarer, a=0.5 more frequent; may be given again."""
    window: Literal["slide", "half"] = "slide"
    """What is seen of a text longer than the context: always its end, or, each time it is full, its last half, which is faster."""
    cache: bool = True
    """Keep keys and values of what was read. The text is the same without, and comes slower."""
    trace: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Record the leading candidates at every token, for  python -m viz.figures --only trace."""
    device: str = "cpu"
    """cpu, cuda, mps, or auto."""


def main(options: GenerateArguments) -> None:
    """Generate and print; record the trace if it is wanted."""
    from data.runs import open_run
    from trainer.generation.generation_request import GenerationRequest

    request = GenerationRequest(
        n_tokens=options.tokens,
        n_samples=options.samples,
        seed=options.seed,
        stop=tuple(stop.replace("\\n", "\n") for stop in options.stop),
        window=options.window,
        cache=options.cache,
    )
    run = open_run(options.run)
    tokenizer = run.tokenizer
    prompt = usual_prompt(run, tokenizer) if options.prompt is None else options.prompt
    if not len(tokenizer.encode(prompt)):
        raise InputError("the prompt is empty: give at least one symbol with --prompt")
    decoding = replace(options.decoding, bias=tuple(_bias(tokenizer, told) for told in options.bias))
    step = options.step if options.step is not None else _last_step(run)
    model = _model(run, step, options.device)
    _say_what_is_cropped(model, len(tokenizer.encode(prompt)), options)
    _print(model, tokenizer, prompt, decoding, request, (run, step) if options.trace else None)


def usual_prompt(run: Run, tokenizer: Tokenizer) -> str:
    """Return what the run's own samples went on from, or the first token that is there."""
    samples = run.samples()
    return str(samples[-1]["prompt"]) if samples else tokenizer.decode([0])


def _last_step(run: Run) -> int:
    snapshots = run.snapshots()
    if not snapshots:
        raise InputError(f"run {run.name!r} has no snapshot: train it, or choose another with --run")
    return snapshots[-1].step


def _model(run: Run, step: int, device: str) -> Model:
    import torch

    from trainer.loading import load_model
    from trainer.session import find_device

    model = load_model(run, step).to(find_device(device))
    if sum(parameter.numel() for parameter in model.parameters()) < SMALL:
        torch.set_num_threads(1)
    return model


def _bias(tokenizer: Tokenizer, told: str) -> tuple[int, float]:
    token, equals, number = told.rpartition("=")
    try:
        added = float(number)
    except ValueError:
        equals = ""
    if not (token and equals):
        raise InputError(f"a bias is a token and a number, like u=-0.5; got {told!r}")
    ids = tokenizer.encode(token)
    if len(ids) != 1:
        raise InputError(f"a bias belongs to one token, and {token!r} is {len(ids)}: give each its own --bias")
    return int(ids[0]), added


def _say_what_is_cropped(model: Model, n_prompt: int, options: GenerateArguments) -> None:
    context = model.config.block_size
    if n_prompt > context:
        print(f"{PROG}: the prompt has {n_prompt} tokens, and the model sees at most {context}: it goes on from the last {context}",
              file=sys.stderr)  # fmt: skip
    elif n_prompt + options.tokens > context:
        seen = (
            f"the last {context}" if options.window == "slide" else f"between {context // 2} and {context} of the last"
        )
        print(
            f"{PROG}: prompt and text have up to {n_prompt + options.tokens} tokens; of these the model sees {seen}",
            file=sys.stderr,
        )


def _print(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str,
    decoding: Decoding,
    request: GenerationRequest,
    traced: tuple[Run, int] | None,
) -> None:
    """Print the first sample as it comes and the others after it; write the trace."""
    from data.runs.traces import write_trace
    from trainer.generation.recording import Recorder
    from trainer.generation.sampling import stream

    recorder = Recorder(tokenizer) if traced else None
    others = [""] * request.n_samples
    _title(0, request)
    print(prompt, end="", flush=True)
    for piece in stream(model, tokenizer, prompt, decoding, request, recorder.watch if recorder else None):
        if piece.sample == 0:
            print(piece.text, end="", flush=True)
        else:
            others[piece.sample] += piece.text
    print()
    for number in range(1, request.n_samples):
        _title(number, request)
        print(prompt + others[number])
    if recorder and traced:
        run, step = traced
        path = write_trace(run, recorder.trace(run.name, run.snapshot(step), prompt, decoding, request))
        print(
            f"wrote {path}; draw it with  python -m viz.figures --only trace --run {run.name} --trace {path.stem}",
            file=sys.stderr,
        )


def _title(number: int, request: GenerationRequest) -> None:
    if request.n_samples > 1:
        print(f"--- sample {number + 1} of {request.n_samples} ---")


def generate(model: Model, prompt: Tensor, n_tokens: int, *, temperature: float = 0.8, seed: int = 0) -> Tensor:
    """Go on from token ids, all at once; `trainer.generation.sampling` has more to choose from.

    Parameters
    ----------
    model : in evaluation mode.
    prompt : token ids, shape (T,), T at least 1; only the last ``block_size`` of them are seen.
    n_tokens : how many tokens to add.
    temperature, seed : see `trainer.generation.filters.Decoding` and `trainer.generation.sampling.Request`.

    Returns
    -------
    The token ids of prompt and continuation, shape (T + n_tokens,).
    """
    import torch

    from trainer.generation.generation_request import GenerationRequest
    from trainer.generation.sampling import choose

    if not n_tokens:
        return prompt
    choices = choose(
        model, prompt.cpu().numpy(), Decoding(temperature), GenerationRequest(n_tokens=n_tokens, seed=seed)
    )
    return torch.cat([prompt, torch.tensor([int(choice.tokens[0]) for choice in choices], device=prompt.device)])


if __name__ == "__main__":
    run_command(main, GenerateArguments, prog=PROG)
