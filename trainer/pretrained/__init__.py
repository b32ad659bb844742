"""Pretrained models as runs: import by family or in their class of Hugging Face, and export to Hugging Face's format."""
