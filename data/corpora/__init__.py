"""Corpora by name, the plays they hold, and any UTF-8 text file."""

from data.corpora.catalog import CORPORA, Corpus, fetch_corpus, load_corpus, load_plays
from data.corpora.plays import Play

__all__ = ["CORPORA", "Corpus", "Play", "fetch_corpus", "load_corpus", "load_plays"]
