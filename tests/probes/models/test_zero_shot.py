"""The next line by probability: against sums over single tokens, and with models whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.runs import Run
from data.tasks.examples import MultipleChoice
from data.tokens.tokenizers import CharTokenizer
from probes.models.zero_shot import encode_questions, mean_log_probabilities, zero_shot
from tests.probes.made_run import SYMBOLS, made_run, model_of_step, shape
from trainer.loading import load_model

CHOICES = [
    MultipleChoice("baco", ("gumo", "pe", "raratutu"), 1),
    MultipleChoice("lha", ("xi", "zo", "mo"), 2),
]


def test_an_answer_has_the_mean_log_probability_of_its_tokens() -> None:
    model, tokenizer = model_of_step(0, shape()), CharTokenizer(SYMBOLS)
    with torch.no_grad():
        found = mean_log_probabilities(model, encode_questions(CHOICES, tokenizer, 12))
        for number, choice in enumerate(CHOICES):
            for place, answer in enumerate(choice.answers):
                answer = answer[:6]  # half a context
                read = choice.context + "\n"
                logs = []
                for letter in answer:
                    ids = torch.from_numpy(tokenizer.encode(read[-12:]))[None]
                    log_p = model(ids)[0][0, -1].log_softmax(-1)
                    logs.append(float(log_p[tokenizer.encode(letter)[0]]))
                    read += letter
                if len(choice.context) + 1 + len(answer) <= 13:  # nothing was cut, so the contexts are equal
                    assert float(found[number, place]) == pytest.approx(np.mean(logs), abs=1e-4)


def test_the_end_of_the_context_is_kept_and_only_answers_are_scored() -> None:
    tokenizer = CharTokenizer(SYMBOLS)
    questions = encode_questions([MultipleChoice("bacogumoperasitu", ("va", "xizoxizoxizo"), 0)], tokenizer, 12)
    rows = [tokenizer.decode(row) for row in questions.ids.numpy()]
    assert rows == ["moperasitu\nva", "rasitu\nxizoxi"]
    assert questions.is_answer.sum(1).tolist() == [2, 6]
    assert questions.ids.shape == (2, 13)


@pytest.mark.parametrize(("symbols", "expected"), [("abc ", "ba ca ab"), ("abc", "bacaab")])
def test_lines_are_joined_as_in_the_text_of_a_tokenizer_without_line_ends(symbols: str, expected: str) -> None:
    tokenizer = CharTokenizer(symbols)
    questions = encode_questions([MultipleChoice("ba\nca", ("ab", "bb"), 0)], tokenizer, 12)
    assert tokenizer.decode(questions.ids.numpy()[0]) == expected
    assert questions.is_answer.sum(1).tolist() == [2, 2]


class Knowing(torch.nn.Module):
    """A model that gives one letter after each letter nearly all the probability."""

    def __init__(self, follows: dict[str, str], certainty: float):
        super().__init__()
        self.config = shape(block_size=16)
        self.h = torch.nn.ModuleList()
        self.table = torch.zeros(len(SYMBOLS), len(SYMBOLS))
        for letter, after in follows.items():
            self.table[SYMBOLS.index(letter), SYMBOLS.index(after)] = certainty

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.table[ids], None


def test_a_model_that_knows_chooses_the_line_that_follows() -> None:
    choices = [
        MultipleChoice("ba", ("abab", "aaaa", "bbbb", "baba"), 0),
        MultipleChoice("ab", ("bbbb", "aaaa", "abab", "baba"), 2),
    ]
    questions = encode_questions(choices, CharTokenizer(SYMBOLS), 16)
    knowing: Any = Knowing({"\n": "a", "a": "b", "b": "a"}, 9.0)
    assert mean_log_probabilities(knowing, questions).argmax(1).tolist() == [0, 2]
    lost: Any = Knowing({"\n": "a", "a": "a"}, 9.0)
    assert mean_log_probabilities(lost, questions).argmax(1).tolist() == [1, 1]


def test_the_gain_is_the_effect_of_the_context_on_a_line(tmp_path: Path, monkeypatch: Any) -> None:
    """A model that always prefers one line and knows little of the order: only the gain shows that it does."""
    import probes.models.zero_shot as module

    choices = [MultipleChoice("ba", ("ab", "no", "gu", "pe"), 0), MultipleChoice("co", ("ab", "do", "gu", "pe"), 1)]
    run = made_run(tmp_path)
    monkeypatch.setattr(module, "_choices", lambda *_: choices)
    n_tokens = {"with": 0}

    def fixed_log_probabilities(model: Any, questions: Any) -> torch.Tensor:
        n_tokens["with"] += 1
        favourite = torch.tensor([[-1.0, -3.0, -3.0, -3.0]] * 2)
        return favourite + torch.tensor([[0.5, 0, 0, 0], [0, 0.5, 0, 0]]) if n_tokens["with"] % 2 else favourite

    monkeypatch.setattr(module, "mean_log_probabilities", fixed_log_probabilities)
    found = zero_shot(run)
    assert set(found["accuracy"].values) == {0.5}
    assert set(found["accuracy_by_gain"].values) == {1.0}


def test_questions_are_drawn_from_the_validation_text_for_every_snapshot(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    found = zero_shot(run, seed=3)
    assert found["accuracy"].attrs["chance"] == 0.25
    for name in ("accuracy", "accuracy_by_gain"):
        assert ((found[name] >= 0) & (found[name] <= 1)).all()
    text = tmp_path / "other.txt"
    text.write_text("\n".join(f"{word} ba co dé fi gu" for word in SYMBOLS.split()[0] * 3), encoding="utf-8")
    asked = zero_shot(run, text=text)
    assert asked.attrs["questions"] > 20
    model = load_model(run, int(asked["step"][-1]))
    assert model.config.block_size == 12


def test_a_run_of_the_training_plays_gets_questions_from_the_held_out_plays(run: Run, monkeypatch: Any) -> None:
    from data.tasks import play_tasks
    from data.tasks.play_tasks import HELD_OUT
    from tests.data.tasks.test_play_tasks import made_play

    genres = play_tasks.GENRES
    made = [made_play(title, genres[i % 6], i) for i, title in enumerate([*HELD_OUT, "seen 1", "seen 2"])]
    monkeypatch.setattr(play_tasks, "scripts", lambda: play_tasks.read_scripts(made))
    asked: list[Any] = []
    import probes.models.zero_shot as module

    real = module.encode_questions
    monkeypatch.setattr(
        module,
        "encode_questions",
        lambda choices, *rest: (
            asked.extend(choices)
            or real([MultipleChoice("ba co", ("gu", "mo", "pe", "ra"), c.target) for c in choices], *rest)
        ),
    )
    run.info["corpus"]["name"] = "training-plays"
    found = zero_shot(run)
    assert found.attrs["questions"] == 256
    assert all(
        any(title in choice.context for title in HELD_OUT) for choice in asked[:256]
    )  # then the answers without context
