"""Training on more than one device, and in less memory on one: processes, shares of a batch, sharded weights, recomputed activations."""
