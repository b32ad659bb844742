"""Heads that do one thing perfectly score as such, and random attention scores as loops written out say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from data.errors import InputError
from data.runs import Run, write_snapshot
from probes.models import heads, observation
from probes.models.observation import observe
from probes.texts import Repeats, repeated_sequences, validation_windows
from tests.probes.made_run import made_run, model_of_step, random_attention, shape, weights
from trainer.loading import load_model

N = 32


def pointing(keys: list[int]) -> Tensor:
    """Return the attention of a head whose query i looks at keys[i] alone, (query, key)."""
    return torch.nn.functional.one_hot(torch.tensor(keys), len(keys)).float()


def on_text(A: Tensor) -> dict[str, float]:
    return {name: float(score(A)) for name, score in heads.ON_TEXT.items()}


def on_repeats(A: Tensor, made: Repeats) -> dict[str, float]:
    period = torch.from_numpy(made.period)
    return {name: float(score(A, period).mean()) for name, score in heads.ON_REPEATS.items()}


@pytest.mark.parametrize(
    ("A", "previous", "sink", "entropy", "without", "distance"),
    [
        (pointing([0, *range(N - 1)]), 1, 1 / (N - 1), 0, 0, 1),  # query 1 has the first token before it
        (pointing([0] * N), 1 / (N - 1), 1, 0, 0, N / 2),
        (pointing(list(range(N))), 0, 0, 0, 0, 0),
        (heads.uniform_attention(N), sum(1 / i for i in range(2, N + 1)) / (N - 1), None, 1, 1, N / 4),
        (0.9 * pointing([0] * N) + 0.1 * heads.uniform_attention(N), None, None, None, 1, 0.9 * N / 2 + 0.1 * N / 4),
    ],
    ids=["previous token", "sink", "itself", "even", "nine tenths on the sink"],
)
def test_heads_that_do_one_thing(
    A: Tensor, previous: float, sink: float, entropy: float, without: float, distance: float
) -> None:
    expected = [previous, sink, entropy, without, distance]
    for found, wanted in zip(on_text(A).values(), expected, strict=True):
        assert wanted is None or found == pytest.approx(wanted, abs=1e-5)


def matching(made: Repeats, ahead: int) -> Tensor:
    """Return a head that looks for the last earlier occurrence of its token, and ``ahead`` of it, (sequence, 1, query, key)."""
    rows = []
    for row in made.ids.tolist():
        earlier = [[j for j in range(i) if row[j] == row[i]] for i in range(len(row))]
        rows.append(pointing([found[-1] + ahead if found else 0 for found in earlier]))
    return torch.stack(rows)[:, None]


def test_scores_distinguish_induction_heads_from_heads_at_a_fixed_distance() -> None:
    made = repeated_sequences(115, N, 64)
    assert on_repeats(matching(made, 0), made) == {"duplicate_token": 1, "induction": 0}
    assert on_repeats(matching(made, 1), made) == {"duplicate_token": 0, "induction": 1}
    for back in range(N // 2 + 1):
        positional = pointing([max(0, i - back) for i in range(N)]).expand(64, 1, N, N)
        found = on_repeats(positional, made)
        assert found["duplicate_token"] == pytest.approx(np.mean(made.period == back))
        assert found["induction"] == pytest.approx(np.mean(made.period == back + 1))
        assert found["induction"] <= 1 / 8


def test_random_attention_scores_as_loops_say() -> None:
    n, made = 9, repeated_sequences(30, 9, 5)
    A = random_attention(5, 2, n, n)
    for s, h in np.ndindex(5, 2):
        a = A[s, h].tolist()
        rows, later = range(1, n), range(2, n)
        expected = {
            "previous_token": sum(a[i][i - 1] for i in rows) / len(rows),
            "sink": sum(a[i][0] for i in rows) / len(rows),
            "entropy": sum(entropy(a[i][: i + 1]) / math.log(i + 1) for i in rows) / len(rows),
            "entropy_without_sink": sum(entropy(a[i][1 : i + 1]) / math.log(i) for i in later) / len(later),
            "distance": sum(a[i][j] * (i - j) for i in rows for j in range(i + 1)) / len(rows),
        }
        assert {name: float(score(A)[s, h]) for name, score in heads.ON_TEXT.items()} == pytest.approx(
            expected, abs=1e-5
        )
        p = int(made.period[s])
        again = range(n - p, n)
        expected = {
            "duplicate_token": sum(a[i][i - p] for i in again) / p,
            "induction": sum(a[i][i - p + 1] for i in again) / p,
        }
        period = torch.from_numpy(made.period)
        found = {name: float(score(A, period)[s, h]) for name, score in heads.ON_REPEATS.items()}
        assert found == pytest.approx(expected, abs=1e-6)


def entropy(weights: list[float]) -> float:
    shares = [weight / sum(weights) for weight in weights]
    return -sum(share * math.log(share) for share in shares if share > 0)


@given(st.integers(3, 20), st.floats(0, 60), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_every_score_is_within_its_range(n: int, sharpness: float, seed: int) -> None:
    A = (random_attention(3, 2, n, n, seed=seed).log() * sharpness).nan_to_num(neginf=-torch.inf, nan=-torch.inf)
    A = A.masked_fill(torch.ones(n, n, dtype=torch.bool).tril() & A.isinf(), -1e9).softmax(-1)
    for name, score in heads.ON_TEXT.items():
        most = n / 2 if name == "distance" else 1
        assert ((score(A) >= -1e-6) & (score(A) <= most + 1e-5)).all(), name


@pytest.fixture
def made(tmp_path: Path) -> Run:
    return made_run(tmp_path)


def test_a_run_is_scored_sequence_by_sequence(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = heads.head_scores(made, seed=3)
    assert all(scores[name].dims == ("step", "layer", "head") for name in heads.LONG_NAMES)
    assert {variable.dtype for variable in scores.data_vars.values()} == {np.dtype(np.float32)}
    windows = torch.from_numpy(validation_windows(made, heads.N_SEQUENCES, seed=3)[:, :12])
    repeats = repeated_sequences(shape().vocab_size, 12, heads.N_SEQUENCES, seed=3)
    model, period = load_model(made, 20), torch.from_numpy(repeats.period)
    read = observe(model, windows, attention=True).attention
    copied = observe(model, torch.from_numpy(repeats.ids), attention=True).attention
    for layer in range(3):
        found = scores.sel(step=20, layer=layer)
        for name, score in heads.ON_TEXT.items():
            np.testing.assert_allclose(found[name], score(read[layer]).mean(0), rtol=1e-4, atol=1e-6)
        for name, of_repeats in heads.ON_REPEATS.items():
            np.testing.assert_allclose(found[name], of_repeats(copied[layer], period).mean(0), rtol=1e-4, atol=1e-6)
    monkeypatch.setattr(
        observation, "MOST_WEIGHTS_AT_ONCE", 4 * 12 * 12 * 7
    )  # seven sequences at once, and one at the end
    in_parts = heads.head_scores(made, seed=3)
    for name in heads.LONG_NAMES:
        np.testing.assert_allclose(in_parts[name], scores[name], rtol=1e-5, atol=1e-6)


def test_a_model_without_preferences_scores_as_the_attribute_uniform(made: Run) -> None:
    tensors = weights(model_of_step(0, shape()))
    write_snapshot(made, 30, {name: 0 * t if ".c_attn." in name else t for name, t in tensors.items()})
    scores = heads.head_scores(made).sel(step=30)
    for name in heads.LONG_NAMES:
        np.testing.assert_allclose(scores[name], scores[name].attrs["uniform"], rtol=1e-5)


def test_scores_of_some_layers_are_those_among_all(run: Run) -> None:
    whole = heads.head_scores(run, seed=3)
    for layers in ([0], [1], [1, 0]):
        some = heads.head_scores(run, layers=layers, seed=3)
        assert list(some["layer"].values) == sorted(layers)
        xr.testing.assert_allclose(some, whole.sel(layer=sorted(layers)), rtol=1e-6)
    xr.testing.assert_identical(heads.head_scores(run, seed=3), whole)  # the model has all its layers again
    with pytest.raises(InputError, match="there is no layer 2: this model has layers 0 to 1"):
        heads.head_scores(run, layers=[0, 2])


def test_the_heads_of_a_snapshot_are_reported_by_batch(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.models.observation.MOST_WEIGHTS_AT_ONCE", 1)  # a batch for each sequence
    seen: list[tuple[float, str]] = []
    heads.head_scores(run, progress=lambda done, note="": seen.append((done, note)))
    done = [share for share, _ in seen]
    n_snapshots = len(run.manifest())
    assert done == sorted(done)
    assert done[-1] == n_snapshots
    assert len(done) == n_snapshots * (2 * heads.N_SEQUENCES + 1)
    assert seen[1][1] == f"batch of sequences 2 of {heads.N_SEQUENCES}"
