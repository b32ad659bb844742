"""Temperature leaves probabilities unchanged at 1 and is greedy at 0; entropy rises with it; a trace is the greedy loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from data.errors import InputError
from data.runs import Run
from data.runs.traces import write_trace
from data.tokens.tokenizers import tokenizer_from_json
from probes.models.decoding import (
    TEMPERATURES,
    apply_decoding,
    decoding_trace,
    recorded_trace,
    temperature_distributions,
)
from probes.models.logits import next_token_distribution
from tests.probes.made_run import SYMBOLS, made_run, shape
from tests.probes.test_contract import contents
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.recording import TraceRecorder
from trainer.generation.sampling import stream_text
from trainer.loading import load_model


def test_temperature_1_gives_the_probabilities_of_the_model_and_0_the_most_probable_token(run: Run) -> None:
    found = temperature_distributions(run, "bagu", step=40, temperatures=(0, 0.5, 1, 2))
    own = next_token_distribution(run, "bagu").sel(step=40)
    np.testing.assert_allclose(found["probability"].sel(temperature=1), own, rtol=1e-4, atol=1e-7)
    assert found["probability"].sel(temperature=0).values.argmax() == own.values.argmax()
    assert float(found["probability"].sel(temperature=0).max()) == 1
    assert list(found["probability"]["token"].values) == list(own["token"].values)
    square = own.values.astype(float) ** 2  # temperature 1/2 squares them
    np.testing.assert_allclose(found["probability"].sel(temperature=0.5), square / square.sum(), rtol=1e-4, atol=1e-7)
    assert int(found["step"]) == 40
    assert str(found["sha256"].values) == run.snapshot(40).sha256


def test_entropy_rises_with_temperature_towards_that_of_a_uniform_distribution(run: Run) -> None:
    found = temperature_distributions(run, "bagu")
    assert found["temperature"].values.tolist() == list(TEMPERATURES)
    assert TEMPERATURES[0] == 0.1
    assert TEMPERATURES[-1] == 2.0
    values = found["entropy"].values
    assert (np.diff(values) > 0).all()
    assert values[-1] < np.log(found.sizes["token"])
    np.testing.assert_allclose(found["probability"].sum("token"), 1)


def test_decoding_applied_over_steps_is_that_of_each_step(run: Run) -> None:
    own = next_token_distribution(run, "bagu")
    drawn = apply_decoding(own, Decoding(0.7, top_p=0.8))
    assert drawn.dims == own.dims
    for step in (0, 60):
        single = apply_decoding(own.sel(step=step), Decoding(0.7, top_p=0.8))
        np.testing.assert_allclose(drawn.sel(step=step), single, rtol=1e-6)
    np.testing.assert_allclose(apply_decoding(own, Decoding(1)), own, rtol=1e-4, atol=1e-7)


def test_a_trace_is_the_loop_of_greedy_decoding(run: Run) -> None:
    """Token by token: softmax of the whole model's logits at the last position, then argmax."""
    before = contents(run)
    trace = decoding_trace(run, "bagu", step=60, n_tokens=6)
    tokenizer, model = tokenizer_from_json(run.info["tokenizer"]), load_model(run, 60)
    ids = tokenizer.encode("bagu").tolist()
    for position in range(6):
        with torch.no_grad():
            probability = model(torch.tensor([ids[-16:]]))[0][0, -1].softmax(-1)
        order = probability.argsort(descending=True)
        at = trace.isel(position=position)
        assert str(at["candidate"].values[0]) == tokenizer.decode([int(order[0])])
        np.testing.assert_allclose(at["probability"], probability[order[:10]], atol=2e-6)
        assert int(at["chosen_rank"]) == 0
        assert str(at["chosen"].values) == tokenizer.decode([int(order[0])])
        assert float(at["chosen_drawn_from"]) == 1
        ids.append(int(order[0]))
    assert contents(run) == before
    assert trace.attrs["prompt"] == "bagu"


def test_a_recorded_trace_is_read_as_it_was_written(run: Run) -> None:
    tokenizer, snapshot = tokenizer_from_json(run.info["tokenizer"]), run.snapshot(60)
    recorder, decoding, request = (
        TraceRecorder(tokenizer, n_candidates=4),
        Decoding(1.5),
        GenerationRequest(8, 2, seed=3),
    )
    list(stream_text(load_model(run, 60), tokenizer, "ba", decoding=decoding, request=request, on_step=recorder.record))
    path = write_trace(run, recorder.trace(run.name, snapshot, "ba", decoding, request))
    for sample in (0, 1):
        found = recorded_trace(run, path.stem, sample)
        assert found.sizes == {"position": 8, "rank": 4}
        np.testing.assert_array_equal(np.sort(-found["drawn_from"].values, axis=1), -found["drawn_from"].values)
        for position in range(8):
            at = found.isel(position=position)
            among = [str(token) for token in at["candidate"].values]
            rank = int(at["chosen_rank"])
            assert (rank >= 0) == (str(at["chosen"].values) in among)
            if rank >= 0:
                assert float(at["drawn_from"][rank]) == float(at["chosen_drawn_from"])
    assert found.attrs["sample"] == 1
    with pytest.raises(InputError, match="the trace has no sample 2; it has 0, 1"):
        recorded_trace(run, path.stem, 2)


def test_only_a_trace_of_the_same_request_is_replaced(run: Run) -> None:
    recorder, snapshot = TraceRecorder(run.tokenizer), run.snapshot(60)
    recorder.steps.append({"sample": 0})
    requests = [
        ("ba", Decoding(0.5), GenerationRequest(3)),
        ("ba", Decoding(0.5, top_k=2), GenerationRequest(3)),
        ("ba.", Decoding(0.5), GenerationRequest(3)),
    ]
    requests += [("ba", Decoding(0.5), GenerationRequest(4))]
    paths = [write_trace(run, recorder.trace(run.name, snapshot, *what)) for what in [*requests, *requests]]
    assert len(set(paths)) == len(requests)
    assert paths[: len(requests)] == paths[len(requests) :]
    assert all(path.stem.startswith("ba-step-60-temperature-0.5-seed-0-") for path in paths)
    with pytest.raises(InputError, match=r"is damaged \(.*\): record it again"):
        recorded_trace(run, paths[0].stem)
    for path in set(paths):
        path.unlink()


def test_unused_rows_of_the_token_table_have_probability_0_at_every_temperature(tmp_path: Path) -> None:
    made = made_run(tmp_path, shape(vocab_size=len(SYMBOLS) + 5))
    found = temperature_distributions(made, "ba", temperatures=(0.1, 1, 2))
    assert found.sizes["token"] == len(SYMBOLS) + 5
    np.testing.assert_allclose(found["probability"][:, : len(SYMBOLS)].sum("token"), 1)
    assert not found["probability"][:, len(SYMBOLS) :].any()


def test_a_temperature_below_0_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="temperature must be 0"):
        temperature_distributions(run, "ba", temperatures=(-1,))
