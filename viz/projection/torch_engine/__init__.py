"""The expensive parts of t-SNE of many items, on a device of torch.

Nearest neighbours and the interpolated gradient are computed on the device. The rest of the chain (`viz.projection.tsne`) is the same on
every device: openTSNE's optimiser, exaggeration, stopping rules, alignment and measures. So layouts differ only by rounding, which grows
over hundreds of iterations to another layout of the same divergence.

- `viz.projection.torch_engine.devices` checks the name of a device, and decides which layouts are computed there.
- `viz.projection.torch_engine.engine` puts the two parts together: `~viz.projection.torch_engine.engine.TorchEngine`.
- `viz.projection.torch_engine.block_search` finds neighbours, `viz.projection.torch_engine.device_gradient` computes gradients.

Torch is imported only where a device other than the CPU is asked for.
"""
