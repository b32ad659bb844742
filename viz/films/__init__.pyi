from .film import Film, make_film

__all__ = ["Film", "make_film"]
