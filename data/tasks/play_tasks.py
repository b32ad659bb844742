"""Tasks made from the plays, with whole plays held out.

==========  ==============  ================================================================================
genre       classification  genre of a passage, of six
same-play   entailment      whether two passages are from the same play
distance    similarity      distance of two lines of a play: 1 for adjacent lines, 0 for 256 lines, on a logarithmic scale
next-line   choice          next line, of four
==========  ==============  ================================================================================

**Held out.** No play is in both the train and the test set. Two plays of each genre are held out (`HELD_OUT`), the same for every seed,
so that a model can be pre-trained on the others, which are the corpus ``training-plays``. None of the twelve shares its story with a play
of the train set.

**Leaks.** A name gives a play away. Therefore speakers' labels are removed, headings and stage directions are not in the text
(`data.corpora.plays`), and no passage contains a line that names a speaker of any play. A word of a label counts as a name if
the plays write it with a capital more often than without: HAMLET, but not LORD. Places, and people who never speak, are still named. In
``next-line`` the wrong lines are drawn like the right one (same play, inside a speech, at least 50 lines away), so that no line looks
more probable without its context. In ``same-play`` the two passages of a play are at least 50 lines apart, so that one never continues
the other. In ``distance`` the order of the two lines is random.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from data.arrays import TokenIds
from data.corpora.catalog import load_corpus
from data.corpora.plays import HELD_OUT, Play, split_plays
from data.errors import InputError
from data.tasks.examples import Classification, Entailment, Example, MultipleChoice, Similarity, Task

GENRES = ("comedies", "histories", "problems", "roman", "romances", "tragedies")

N_ANSWERS = 4
APART = 50
"""Minimum number of lines between passages that must not continue each other."""
FARTHEST = 256
SHORTEST = 16
"""Minimum number of characters of an answer; shorter lines are fragments such as ``I do.``"""

Draw = np.random.Generator

_LABEL = re.compile(r"[^a-z]+:")
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class DialogueLine:
    """A line of dialogue: its text, whether it opens a speech, and whether it names a speaker."""

    text: str
    opens: bool
    names: bool

    @property
    def is_usable(self) -> bool:
        """Whether it can be an answer, right or wrong."""
        return not (self.opens or self.names) and len(self.text) >= SHORTEST


@dataclass(frozen=True)
class Script:
    """The dialogue of a play: its lines, in order, without the speakers' labels."""

    title: str
    genre: str
    lines: tuple[DialogueLine, ...]

    @cached_property
    def usable(self) -> TokenIds:
        """The numbers of the lines that can be an answer, (line,)."""
        return np.flatnonzero([line.is_usable for line in self.lines])

    def passage(self, start: int, characters: int) -> str | None:
        """Join the lines from ``start`` on that fit in ``characters``; None if one of them names a speaker, or none fits."""
        text = ""
        for line in self.lines[start:]:
            longer = f"{text}\n{line.text}" if text else line.text
            if len(longer) > characters:
                break
            if line.names:
                return None
            text = longer
        return text or None


Maker = Callable[[Draw, Sequence[Script], int], list[Example]]


def play_task(name: str, *, seed: int = 0, n_train: int = 3000, n_test: int = 1000) -> Task:
    """Make a task of `MAKERS` from the plays; the same seed gives the same examples.

    Parameters
    ----------
    name : genre, same-play, distance or next-line.
    seed : of the random draw of passages; the plays that are held out do not depend on it.
    n_train, n_test : numbers of examples; the classes are equally frequent, give or take one example.
    """
    _check_name(name)  # before the plays are fetched
    return make_task(name, scripts(), HELD_OUT, seed=seed, n_train=n_train, n_test=n_test)


def make_task(
    name: str, plays: Sequence[Script], held_out: Sequence[str], *, seed: int, n_train: int, n_test: int
) -> Task:
    """Make a task like `play_task`, from any scripts and with any titles held out."""
    kind, labels, make = MAKERS[_check_name(name)]
    sides = {
        "train": ([play for play in plays if play.title not in held_out], n_train),
        "test": ([play for play in plays if play.title in held_out], n_test),
    }
    examples = {
        split: tuple(make(np.random.default_rng([seed, *name.encode(), split == "test"]), side, n))
        for split, (side, n) in sides.items()
    }
    origin = f"{len(sides['train'][0])} plays to learn from, {len(sides['test'][0])} held out whole; seed {seed}"
    return Task(name, kind, labels, examples["train"], examples["test"], origin)


def _check_name(name: str) -> str:
    if name not in MAKERS:
        raise InputError(f"there is no task {name!r} from the plays; there is {', '.join(MAKERS)}")
    return name


@lru_cache(maxsize=1)
def scripts() -> tuple[Script, ...]:
    """Load the scripts of all plays, in the order of the corpus."""
    return read_scripts(split_plays(load_corpus("shakespeare").text))


def read_scripts(plays: Sequence[Play]) -> tuple[Script, ...]:
    """Read plays as scripts: remove the speakers' labels, and mark the lines that name a speaker."""
    names = speaker_names([play.text for play in plays])
    return tuple(Script(play.title, play.genre, tuple(_lines(play.text, names))) for play in plays)


def speaker_names(texts: Iterable[str]) -> frozenset[str]:
    """Collect the words of speakers' labels that are names, which the dialogue capitalises more often than not.

    Examples
    --------
    >>> sorted(speaker_names(["LORD HAMLET:\\nMy lord, my lord Hamlet!\\n\\nFIRST LORD:\\nAt first.\\n"]))
    ['Hamlet']
    """
    labels: set[str] = set()
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for line in (line for text in texts for line in text.split("\n")):
        words = _WORD.findall(line)
        if _LABEL.fullmatch(line):
            labels.update(word.capitalize() for word in words)
        else:
            capital.update(word for word in words if word[0].isupper())
            small.update(word.capitalize() for word in words if word[0].islower())
    return frozenset(word for word in labels if len(word) > 1 and capital[word] > small[word])


def _lines(text: str, names: frozenset[str]) -> Iterable[DialogueLine]:
    opens = False
    for line in text.split("\n"):
        if _LABEL.fullmatch(line):
            opens = True
        elif line:
            # EDWARD in capitals names him as Edward does.
            has_name = any(word.capitalize() in names for word in _WORD.findall(line) if word[0].isupper())
            yield DialogueLine(line, opens, has_name)
            opens = False


def _genre(draw: Draw, plays: Sequence[Script], n: int) -> list[Example]:
    by_genre = [[play for play in plays if play.genre == genre] for genre in GENRES]
    if not all(by_genre):
        raise InputError(f"there is no play of the genre {GENRES[[bool(some) for some in by_genre].index(False)]}")
    targets = _evenly(draw, n, len(GENRES))
    return [Classification(_passage(draw, _one(draw, by_genre[target]), 240)[1], target) for target in targets]


def _same_play(draw: Draw, plays: Sequence[Script], n: int) -> list[Example]:
    found: list[Example] = []
    for is_same in _evenly(draw, n, 2):
        play = _one(draw, plays)
        start, premise = _passage(draw, play, 120)
        if is_same:
            _, hypothesis = _passage(draw, play, 120, away_from=start)
        else:
            _, hypothesis = _passage(draw, _one(draw, [other for other in plays if other is not play]), 120)
        found.append(Entailment(premise, hypothesis, is_same))
    return found


def _distance(draw: Draw, plays: Sequence[Script], n: int) -> list[Example]:
    octaves = int(np.log2(FARTHEST))
    found: list[Example] = []
    for octave in _evenly(draw, n, octaves + 1):
        while True:
            lines = _one(draw, plays).lines
            start = int(draw.integers(len(lines) - FARTHEST))
            pair = [lines[start], lines[start + 2**octave]]
            if not any(line.names or len(line.text) < SHORTEST for line in pair):
                break
        first, second = (pair[i].text for i in draw.permutation(2))
        found.append(Similarity(first, second, 1 - octave / octaves))
    return found


def _next_line(draw: Draw, plays: Sequence[Script], n: int) -> list[Example]:
    found: list[Example] = []
    for target in _evenly(draw, n, N_ANSWERS):
        while (choice := _one_choice(draw, _one(draw, plays), target)) is None:
            pass
        found.append(choice)
    return found


def _one_choice(draw: Draw, play: Script, target: int) -> MultipleChoice | None:
    right = int(draw.choice(play.usable))
    context = play.lines[max(0, right - 3) : right]
    far = play.usable[abs(play.usable - right) > APART]
    wrong = [play.lines[i].text for i in draw.choice(far, N_ANSWERS - 1, replace=False)]
    answers = (*wrong[:target], play.lines[right].text, *wrong[target:])
    if any(line.names for line in context) or len(set(answers)) < N_ANSWERS:
        return None
    return MultipleChoice("\n".join(line.text for line in context), answers, target)


def _passage(draw: Draw, play: Script, characters: int, away_from: int | None = None) -> tuple[int, str]:
    while True:
        start = int(draw.integers(len(play.lines)))
        near = away_from is not None and abs(start - away_from) < APART
        text = None if near else play.passage(start, characters)
        # Passages near the end of a play can be short; one must have at least half of its maximum length.
        if text is not None and len(text) >= characters // 2:
            return start, text


def _evenly(draw: Draw, n: int, n_classes: int) -> list[int]:
    """Draw ``n`` classes in random order, equally often, give or take one."""
    return [int(target) for target in draw.permutation(np.arange(n) % n_classes)]


def _one(draw: Draw, some: Sequence[Script]) -> Script:
    return some[int(draw.integers(len(some)))]


MAKERS: dict[str, tuple[str, tuple[str, ...], Maker]] = {
    "genre": ("classification", GENRES, _genre),
    "same-play": ("entailment", ("different", "same"), _same_play),
    "distance": ("similarity", (), _distance),
    "next-line": ("choice", tuple(map(str, range(N_ANSWERS))), _next_line),
}
