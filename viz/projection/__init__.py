"""Projections: layouts of a trajectory in two or three dimensions at every step.

- `viz.projection.projector` is the one function for all methods: `~viz.projection.projector.project`.
- `viz.projection.projection_cache` keeps its results on disk: `~viz.projection.projection_cache.cached_projection`.
- `viz.projection.tsne`, `viz.projection.umap` and `viz.projection.pca` are the methods.
- `viz.projection.alignment` rotates and reflects layouts onto each other.
- `viz.projection.controls` makes trajectories without structure, to compare with.
"""
