"""Supervised fine-tuning on a task, as the paper on GPT-1 does it; ``python -m trainer.supervised``."""
