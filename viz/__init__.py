"""Labelled arrays in, pictures out. Nothing here knows a model, and torch is never loaded.

A `~viz.grouped_table.GroupedTable` is a trajectory with what is picked out in it; `viz.projection.projector.project` lays it out
in two dimensions
for every step; `~viz.films.embedding_film.EmbeddingFilm` draws it at any time of a `~viz.films.timeline.Timeline`;
`viz.films.encode` makes files of
the frames. `viz.figures` draws stills.
"""
