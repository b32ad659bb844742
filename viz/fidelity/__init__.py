"""Fidelity: which neighbourhoods, distances and motions of a layout are those of the vectors it shows.

- `viz.fidelity.neighbourhoods` compares each layout with its vectors: trustworthiness, continuity, recall, distance correlation, stress.
- `viz.fidelity.motion` compares the motion of the points with that of the vectors, and measures a method's motion floor.
- `viz.fidelity.trust` combines both into one number for each point and step, and finds the points that pictures mark.
- `viz.fidelity.ranking` holds the distances, ranks and sampling that these need.
"""
