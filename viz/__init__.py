"""Labelled arrays in, pictures out. Nothing here knows a model, and torch is never loaded.

A `~viz.subject.Subject` is a trajectory with what is picked out in it; `viz.projection.project` lays it out in two dimensions
for every step; `~viz.embedding_film.EmbeddingFilm` draws it at any time of a `~viz.film.Timeline`; `viz.encode` makes files of
the frames. `viz.figures` draws stills.
"""
