"""Films, figures and players of runs: labelled arrays in, pictures out. Nothing here knows a model, and torch is never loaded.

Of a run
    `film` films a run over its training, `figure` draws a still; both play or show themselves in a notebook, and have ``save``. Their
    fields are those of a `FilmRequest` and a `FigureRequest`; `FILMS` and `FIGURES` list the kinds. `make_film` and `make_figure` take
    a request, and give a `Film` and a `Figure`. `bits_curve` reads a run's loss in bits per character, to compare tokenizers.
Of a table of embeddings
    `read_grouped_table` reads one with its highlighted groups as a `GroupedTable`, `project` lays it out in two or three dimensions at
    every step and measures how far the layout can be trusted, `cached_projection` keeps the layout with the run, `control` makes
    vectors with nothing to show, to compare with.
Of arrays
    `draw_loss`, `draw_compared`, `draw_maps`, `draw_poster`, `draw_grid`, `draw_layer`, `draw_head`, `draw_scores`, `draw_next_token`,
    `draw_lens`, `draw_context_loss`, `draw_zero_shot`, `draw_trace`, `draw_temperatures`, `draw_spectra`, `draw_table` and
    `draw_similarity` draw what probes measure, on a slide. `blank_slide`, `heat_map`, `short_label` and `evenly` serve for pictures of
    your own, and `save` writes them.

``python -m viz.video`` and ``python -m viz.figures`` write films and figures of a run. Everything is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
