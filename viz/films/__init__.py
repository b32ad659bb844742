"""Films: `make_film` makes a `Film` of a run. Each kind has a function that makes it and a picture that it draws; `encode` writes files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
