"""Tokens in, snapshots out: train a small GPT, fine-tune it, and read its snapshots as models.

`train` and `fine_tune` write runs; `load_model` reads a snapshot, `generate_text` continues a prompt with it, `text_loss` measures how
well it predicts a text, and `export_model` writes it for Hugging Face. `TrainConfig` is the configuration of a training, `GPT` the
model. Models made elsewhere are in `trainer.pretrained`, tasks in `trainer.supervised`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
