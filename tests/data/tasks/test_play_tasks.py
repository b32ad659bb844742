"""Tasks from made plays, which anybody can make; and from the real ones where they are at hand."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from data.corpora.catalog import load_plays, locate_corpus
from data.corpora.plays import HELD_OUT, PLAYS, Play
from data.errors import InputError
from data.tasks import play_tasks
from data.tasks.examples import Classification, Entailment, MultipleChoice, Similarity, Task
from data.tasks.play_tasks import APART, GENRES, MAKERS, Script, make_task, play_task, read_scripts, speaker_names

HELD = tuple(f"{genre} 2" for genre in GENRES)


def made_play(title: str, genre: str, seed: int) -> Play:
    """Make a play of 400 lines; each says which play and which line it is, and now and then names a speaker."""
    draw = random.Random(seed)
    lines = []
    for number in range(400):
        if number % 5 == 0:
            lines.append(f"\n{draw.choice(['ROMEO', 'FIRST LORD'])}:")
        name = " to Romeo" if draw.random() < 0.1 else ""
        lines.append(f"my lord of {title}{name}, line {number}")
    return Play(title, genre, 0, "\n".join(lines)[1:] + "\n")


@pytest.fixture(scope="module")
def scripts() -> tuple[Script, ...]:
    return read_scripts([made_play(f"{genre} {n}", genre, n) for genre in GENRES for n in range(3)])


@pytest.fixture(scope="module")
def tasks(scripts: tuple[Script, ...]) -> dict[str, Task]:
    return {name: make_task(name, scripts, HELD, seed=1, n_train=240, n_test=120) for name in MAKERS}


def place(line: str) -> tuple[str, int]:
    """Read a made line back: its play and its number."""
    title, number = line.removeprefix("my lord of ").split(", line ")
    return title, int(number)


def places(text: str) -> list[tuple[str, int]]:
    return [place(line) for line in text.split("\n")]


def test_no_play_is_on_both_sides_and_every_genre_is(tasks: dict[str, Task]) -> None:
    for task in tasks.values():
        titles = {
            split: {title for example in examples for text in example.texts for title, _ in places(text)}
            for split, examples in (("train", task.train), ("test", task.test))
        }
        assert titles["test"] == set(HELD)
        assert len(titles["train"]) == 2 * len(GENRES)
        assert not titles["train"] & titles["test"]


def test_no_text_says_who_speaks_or_names_a_speaker(tasks: dict[str, Task]) -> None:
    for task in tasks.values():
        for example in (*task.train, *task.test):
            for text in example.texts:
                assert "Romeo" not in text
                assert "ROMEO" not in text
                assert ":" not in text


def test_passages_are_consecutive_lines_of_the_genre_they_are_said_to_be(tasks: dict[str, Task]) -> None:
    for example in tasks["genre"].train:
        assert isinstance(example, Classification)
        found = places(example.text)
        assert {title.split()[0] for title, _ in found} == {GENRES[example.target]}
        assert [number for _, number in found] == list(range(found[0][1], found[0][1] + len(found)))
        assert 120 <= len(example.text) <= 240


def test_pairs_are_of_one_play_far_apart_or_of_two(tasks: dict[str, Task]) -> None:
    for example in tasks["same-play"].train:
        assert isinstance(example, Entailment)
        (mine, here), (yours, there) = places(example.premise)[0], places(example.hypothesis)[0]
        assert (mine == yours) == bool(example.target)
        if example.target:
            assert abs(here - there) >= APART


def test_the_score_of_two_lines_follows_from_their_distance(tasks: dict[str, Task]) -> None:
    orders = set()
    for example in tasks["distance"].train:
        assert isinstance(example, Similarity)
        (mine, here), (yours, there) = place(example.first), place(example.second)
        assert mine == yours
        assert 2 ** (8 * (1 - example.target)) == abs(here - there)
        orders.add(here < there)
    assert orders == {True, False}


def test_the_right_line_follows_and_the_wrong_ones_are_drawn_as_it_is(tasks: dict[str, Task]) -> None:
    for example in tasks["next-line"].train:
        assert isinstance(example, MultipleChoice)
        context, answers = places(example.context), [place(answer) for answer in example.answers]
        title, right = answers[example.target]
        assert context[-1] == (title, right - 1)
        assert {play for play, _ in answers} == {title}
        assert all(number % 5 for _, number in answers), "none opens a speech"
        assert all(abs(number - right) > APART for i, (_, number) in enumerate(answers) if i != example.target)
        assert len(set(answers)) == 4


def test_classes_come_equally_often(tasks: dict[str, Task]) -> None:
    for task in tasks.values():
        counts = Counter(task.targets("train")).values()
        assert max(counts) - min(counts) <= 1


def test_the_seed_decides_which_passages_are_drawn(scripts: tuple[Script, ...], tasks: dict[str, Task]) -> None:
    for name, task in tasks.items():
        assert make_task(name, scripts, HELD, seed=1, n_train=240, n_test=120) == task
        assert make_task(name, scripts, HELD, seed=2, n_train=240, n_test=120).train != task.train


def test_a_word_is_a_name_where_it_has_a_capital_more_often_than_not() -> None:
    text = "LADY MACBETH:\nMy lady Macbeth, the page!\n\nPAGE:\nPage! A Page, a Lord, a lord.\n\nLORD:\nlord.\n"
    assert speaker_names([text]) == {"Macbeth", "Page"}


def test_an_unknown_task_names_those_there_are(scripts: tuple[Script, ...]) -> None:
    with pytest.raises(InputError, match=r"'rhyme' from the plays; there is genre, same-play, distance, next-line"):
        make_task("rhyme", scripts, HELD, seed=0, n_train=1, n_test=1)
    with pytest.raises(InputError, match="no play of the genre comedies"):
        make_task("genre", scripts, [f"comedies {n}" for n in range(3)], seed=0, n_train=6, n_test=6)


def test_two_plays_of_every_genre_are_held_out() -> None:
    genres = {title: genre for title, genre, _, _ in PLAYS}
    assert Counter(genres[title] for title in HELD_OUT) == dict.fromkeys(GENRES, 2)


@pytest.mark.skipif(locate_corpus("shakespeare") is None, reason="the plays are not on this machine")
def test_what_is_held_out_stands_in_no_training_text() -> None:
    from data.corpora.catalog import load_corpus

    learned = load_corpus("training-plays").text
    task = play_task("genre", n_train=60, n_test=60)
    spoken = "\n".join(
        line.text for script in play_tasks.scripts() for line in script.lines if script.title in HELD_OUT
    )
    for example in task.test:
        assert isinstance(example, Classification)
        assert example.text in spoken
        assert example.text not in learned
    assert {play.title for play in load_plays() if play.text in learned} == {play.title for play in load_plays()} - set(
        HELD_OUT
    )
