"""Fine-tuning a run on documents; ``python -m trainer.finetune``."""
