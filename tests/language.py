"""English words of ours, by which a text that was left in English is found on a page or in a picture in Portuguese."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from dashboards.state.language import catalogue
from data.language.messages import messages
from data.language.pictures import picture_texts

FUNCTION_WORDS = """
the of and with from this that these those which what when where their its not only each every all are was were has have been will would
there here then than into over under between beside below above after before by or other others same more most few many much how why who
step steps layer head heads weight loss training snapshot snapshots runs seed size
"""
"""Words that a catalogue may lack; none of them is a Portuguese word that we use."""
NOT_ENGLISH = "a as no do e o me se sou pas de com fora para por em on in is at it num da for"
"""Words of both languages, and abbreviations."""
TERMS = """
token tokens embeddings prompt top-k top-p typical-p softmax logits logit gpt gptlab tsne t-sne umap pca mp4 gif png svg pdf json log
dropout python trainer preset run loop nats bits bytes gelu
"""
"""Terms of the field, options and names of formats."""
_WORD, _CODE = (
    re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*"),
    re.compile(r"`[^`]*`|\{[^}]*\}|--?[\w-]+(?:[= ]\S+)?|python -m \S+|\w+=\S*"),
)


def words(text: str) -> set[str]:
    """List the words of a text in small letters; marks, options and blanks are none."""
    return {word.lower() for word in _WORD.findall(_CODE.sub(" ", text)) if len(word) > 1}


@lru_cache(maxsize=1)
def english_words() -> frozenset[str]:
    """List the words that stand in our English texts and in none of the Portuguese ones."""
    pairs = [(texts["en"], texts["pt"]) for texts in catalogue().values()]
    pairs += [*picture_texts().items(), *messages().items()]
    english = set().union(*(words(text) for text, _ in pairs), FUNCTION_WORDS.split())
    # Names of dimensions stay as they are; they do not make a word of theirs Portuguese.
    portuguese = set().union(*(words(DIMENSIONS.sub("", text)) for _, text in pairs))
    return frozenset(english - portuguese - set(NOT_ENGLISH.split()) - set(TERMS.split()))


DIMENSIONS = re.compile(r"\((?:step|layer|item)[\w, ]*\)")


def left_in_english(texts: Iterable[str], allowed: Iterable[str] = ()) -> dict[str, list[str]]:
    """Find English words of ours in texts; ``allowed`` are further words, such as names of runs.

    Examples
    --------
    >>> left_in_english(["passo de treino", "training step"])
    {'training step': ['step', 'training']}
    """
    known = english_words() - {word.lower() for word in allowed}
    found = {text: sorted(words(text) & known) for text in dict.fromkeys(texts)}
    return {text: named for text, named in found.items() if named}
