from .figure import Figure, make_figure

__all__ = ["Figure", "make_figure"]
