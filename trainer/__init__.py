"""Tokens in, snapshots out.

`~trainer.model.GPT` is the model, `~trainer.config.TrainConfig` all that can be chosen, `~trainer.optimizers.recipes.Recipe` how it is
optimised. `trainer.loop.start` makes a new training and `trainer.loop.resume` takes up an old one; `go` trains.
"""
