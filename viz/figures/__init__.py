"""The kinds of figures, and the deck made of them; ``python -m viz.figures``."""
