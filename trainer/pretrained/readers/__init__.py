"""One reader per family of models: how it is recognised, its shape, and the mapping of its tensors."""
