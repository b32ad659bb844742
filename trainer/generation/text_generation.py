"""Generate text with a snapshot of a run: what the command and the Python face share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch

from data.errors import InputError
from data.free_cores import free_cores
from data.runs import Run
from data.tokens.tokenizers import Tokenizer
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest, Window
from trainer.generation.sampling import generate_samples
from trainer.loading import Model, load_model
from trainer.machine import find_device

SMALL_MODEL = 5_000_000
"""Below this number of parameters a second thread costs more than it saves: a token is computed before it has started."""


def generate_text(
    run: Run,
    prompt: str | None = None,
    *,
    step: int | None = None,
    n_tokens: int = 200,
    samples: int = 1,
    seed: int = 0,
    stop: Sequence[str] = (),
    bias: Mapping[str, float] | None = None,
    window: Window = "slide",
    cache: bool = True,
    clean_up_spaces: bool = False,
    device: str = "cpu",
    **decoding: Any,
) -> list[str]:
    """Continue a prompt with a snapshot of a run.

    Parameters
    ----------
    run : the run whose model generates.
    prompt : the text to continue; the prompt of the run's own samples if None.
    step : of the snapshot; the last if None.
    n_tokens : how many tokens to add, at most.
    samples : number of texts; each is the same whatever their number.
    seed : of the random generators.
    stop : texts that end a sample and are left out of it.
    bias : numbers to add to the logits of tokens, by token.
    window : what the model sees of a text longer than its context (`trainer.generation.generation_request.Window`).
    cache : whether to use a key-value cache. The text is the same without, and takes longer.
    clean_up_spaces : whether to drop the space before punctuation and short forms of the text, as Hugging Face prints that of GPT-1.
    device : cpu, cuda, mps, or auto.
    **decoding : the fields of `trainer.generation.filters.Decoding`: ``temperature``, ``top_k``, ``repetition_penalty`` and others.

    Returns
    -------
    The texts, prompt included.

    Raises
    ------
    InputError
        If the prompt is empty or has symbols outside the vocabulary, there is no such snapshot, or a number lies outside its range.
    """
    request = GenerationRequest(n_tokens, samples, seed, tuple(stop), window, cache, clean_up_spaces)
    prompt = choose_prompt(run, prompt)
    choices = Decoding(**decoding, bias=token_biases(run.tokenizer, (bias or {}).items()))
    model = load_model(run, choose_step(run, step)).to(find_device(device))
    with suitable_threads(model):
        return [prompt + sample.text for sample in generate_samples(model, run.tokenizer, prompt, choices, request)]


def choose_prompt(run: Run, prompt: str | None) -> str:
    """Return the prompt, or that of the run's own samples if it is None; an `InputError` if it has no token."""
    if prompt is None:
        samples = run.samples()
        prompt = str(samples[-1]["prompt"]) if samples else run.tokenizer.decode([0])
    if not len(run.tokenizer.encode(prompt)):
        raise InputError("the prompt is empty: give at least one symbol with `prompt`")
    return prompt


def choose_step(run: Run, step: int | None) -> int:
    """Return the step, or that of the run's last snapshot if it is None; an `InputError` if the run has none."""
    snapshots = run.snapshots()
    if step is None and not snapshots:
        raise InputError(f"run {run.name!r} has no snapshot: train it, or choose another with `run`")
    return snapshots[-1].step if step is None else step


def token_biases(tokenizer: Tokenizer, biases: Iterable[tuple[str, float]]) -> tuple[tuple[int, float], ...]:
    """Turn pairs of token and bias into pairs of token id and bias; an `InputError` if a text is not one token."""
    pairs = []
    for token, number in biases:
        ids = tokenizer.encode(token)
        if len(ids) != 1:
            raise InputError(f"a bias belongs to one token, and {token!r} is {len(ids)}: give each its own `bias`")
        pairs.append((int(ids[0]), number))
    return tuple(pairs)


@contextlib.contextmanager
def suitable_threads(model: Model) -> Iterator[None]:
    """Compute on one thread while the context lasts if the model is small, otherwise on no more than there are free cores."""
    n_threads = torch.get_num_threads()
    is_small = sum(parameter.numel() for parameter in model.parameters()) < SMALL_MODEL
    torch.set_num_threads(1 if is_small else min(n_threads, free_cores()))
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
