"""Corpora by name, the plays they hold, and any UTF-8 text file."""

from data.corpora.catalog import CORPORA, Corpus, CorpusSource, fetch_corpus, load_corpus, load_plays, locate_corpus
from data.corpora.plays import HELD_OUT, PLAYS, Play, split_plays

__all__ = [
    "CORPORA",
    "HELD_OUT",
    "PLAYS",
    "Corpus",
    "CorpusSource",
    "Play",
    "fetch_corpus",
    "load_corpus",
    "load_plays",
    "locate_corpus",
    "split_plays",
]
