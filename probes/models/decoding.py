"""Effects of decoding: distributions at other temperatures and filters, and traces of the candidates token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from data.progress import Progress
from data.runs import Run
from data.runs.traces import Trace, read_trace
from probes.models.observation import observe
from probes.tables.embeddings import token_labels
from probes.texts import encode_prompt
from trainer.config import described_model
from trainer.generation.filters import Decoding, entropy, probabilities
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.recording import TraceRecorder
from trainer.generation.sampling import stream_text
from trainer.loading import load_model

TEMPERATURES = tuple(np.round(np.arange(1, 21) * 0.1, 1).tolist())
"""The temperatures from 0.1 to 2."""
TRACED_TOKENS = 12
"""Default length of a trace."""


def apply_decoding(distribution: xr.DataArray, decoding: Decoding) -> xr.DataArray:
    """Apply temperature, filters and bias to next-token probabilities.

    Parameters
    ----------
    distribution : the model's own probabilities, (..., token).
    decoding : temperature, filters and bias; penalties depend on earlier tokens and have no effect here (they have in
        `~probes.models.logits.next_token_distribution`).

    Returns
    -------
    Probabilities of the same shape and labels.

    Examples
    --------
    >>> distribution = xr.DataArray([0.5, 0.3, 0.2], dims="token", coords={"token": list("abc")})
    >>> apply_decoding(distribution, Decoding(temperature=1, top_k=2)).values.round(3)
    array([0.625, 0.375, 0.   ])
    """
    last = distribution.transpose(..., "token")
    with np.errstate(divide="ignore"):
        logits = np.log(last.values.astype(np.float64))
    return last.copy(data=probabilities(logits, decoding).astype(distribution.dtype))


def temperature_distributions(
    run: Run,
    prompt: str | None = None,
    *,
    step: int | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the probability of every next token at several temperatures, at one snapshot.

    Parameters
    ----------
    run : the run to measure.
    prompt : the text to continue; the opening of the run's last sample if None.
    step : of the snapshot; the last if None.
    temperatures : each 0 or more; at 0 the most probable token has probability 1.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    ``probability`` (temperature, token), each row sums to 1; ``entropy`` (temperature), in nats.

    Raises
    ------
    InputError
        If the prompt is empty, too long or outside the vocabulary, or there is no such snapshot, or a temperature is below 0.
    """
    encoded = encode_prompt(run, prompt)
    snapshot = run.snapshot(step) if step is not None else run.sound_snapshots()[-1]
    decodings = [Decoding(temperature) for temperature in temperatures]
    seen = observe(load_model(run, snapshot.step), torch.from_numpy(encoded.ids)[None])
    logits = seen.logits[0, -1].float().numpy().copy()
    logits[run.tokenizer.vocab_size :] = -np.inf  # unused rows of the token table are never sampled
    rows = np.stack([probabilities(logits, decoding) for decoding in decodings])
    if progress is not None:
        progress(1)
    return xr.Dataset(
        {"probability": (("temperature", "token"), rows), "entropy": ("temperature", entropy(rows), {"units": "nats"})},
        coords={
            "temperature": [float(temperature) for temperature in temperatures],
            "token": token_labels(run, described_model(run).vocab_size),
            "step": ((), snapshot.step, run.step_attrs),
            "sha256": snapshot.sha256,
        },
        attrs={"run": run.name, "prompt": encoded.text},
    )


def recorded_trace(run: Run, name: str, sample: int = 0) -> xr.Dataset:
    """Read one sample, counted from 0, of a trace that ``python -m trainer.generate --trace`` recorded; see `decoding_trace`."""
    return _labelled(run, read_trace(run, name), sample)


def decoding_trace(
    run: Run,
    prompt: str | None = None,
    *,
    step: int | None = None,
    n_tokens: int = TRACED_TOKENS,
    decoding: Decoding | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Continue a prompt token by token, and record the leading candidates of each.

    Parameters
    ----------
    run : the run whose model generates.
    prompt : the text to continue; the opening of the run's last sample if None.
    step : of the snapshot; the last if None.
    n_tokens : how many tokens to add.
    decoding : temperature, filters, penalties and bias; greedy (temperature 0) if None.
    seed : of the random generator.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    ``candidate`` (position, rank): the leading tokens, and ``probability`` and ``drawn_from`` of each: the model's own, and after
    temperature, filters and penalties; ``chosen`` (position), its ``chosen_rank``, -1 if it is not among the leading tokens, and
    ``chosen_probability`` and ``chosen_drawn_from``. Attributes hold prompt, decoding and request.
    """
    encoded = encode_prompt(run, prompt)
    snapshot = run.snapshot(step) if step is not None else run.sound_snapshots()[-1]
    tokenizer = run.tokenizer
    recorder, request = TraceRecorder(tokenizer), GenerationRequest(n_tokens, seed=seed)
    decoding = decoding or Decoding(temperature=0)
    model = load_model(run, snapshot.step)
    for _ in stream_text(model, tokenizer, encoded.text, decoding=decoding, request=request, on_step=recorder.record):
        pass
    if progress is not None:
        progress(1)
    return _labelled(run, recorder.trace(run.name, snapshot, encoded.text, decoding, request), 0)


def _labelled(run: Run, trace: Trace, sample: int) -> xr.Dataset:
    """Convert one sample of a trace to a Dataset (position, rank)."""
    steps, header = trace.of_sample(sample), trace.header
    # Rows of [id, token, probability, drawn_from], by position and rank.
    columns: list[NDArray[Any]] = [
        np.array([[candidate[place] for candidate in step["candidates"]] for step in steps], dtype=dtype)
        for place, dtype in enumerate((int, object, float, float))
    ]
    ids, tokens, probability, drawn_from = columns
    is_chosen = ids == np.array([step["id"] for step in steps])[:, None]
    return xr.Dataset(
        {
            "candidate": (("position", "rank"), tokens),
            "probability": (("position", "rank"), probability),
            "drawn_from": (("position", "rank"), drawn_from),
            "chosen": ("position", np.array([step["token"] for step in steps], dtype=object)),
            "chosen_rank": ("position", np.where(is_chosen.any(1), is_chosen.argmax(1), -1)),
            "chosen_probability": ("position", np.array([step["probability"] for step in steps], dtype=float)),
            "chosen_drawn_from": ("position", np.array([step["drawn_from"] for step in steps], dtype=float)),
        },
        coords={
            "position": [step["position"] for step in steps],
            "rank": np.arange(ids.shape[1]),
            "step": ((), header["step"], run.step_attrs),
            "sha256": header["sha256"],
        },
        attrs={name: header[name] for name in ("run", "prompt", "prompt_tokens", "decoding", "request")}
        | {"sample": sample},
    )
