"""Films: `make_film` makes a `Film` of a run. Each kind has a function that makes it and a picture that it draws; `encode` writes files."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from viz.films.film import Film, make_film

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submod_attrs={"film": ["Film", "make_film"]})
__all__ = ["Film", "make_film"]
