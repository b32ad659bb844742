"""Decks: `write_deck` writes a PowerPoint file of pages, `write_run_deck` that of a run's films and figures."""

from viz.figures.deck.powerpoint import SIZES, DeckPage, fit, require_pptx, write_deck
from viz.figures.deck.run_deck import deck_name, write_run_deck

__all__ = ["SIZES", "DeckPage", "deck_name", "fit", "require_pptx", "write_deck", "write_run_deck"]
