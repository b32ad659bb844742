"""The functions that make each kind of figure from a run, by family; `viz.registry.FIGURES` names them."""
