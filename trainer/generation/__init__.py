"""Text generation: filters of the next-token distribution, key-value cache, sampling and traces.

`generate_text` continues a prompt with a snapshot of a run. `stream_text` yields the text of any model as it comes, with the choices of
a `Decoding` and a `GenerationRequest`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
