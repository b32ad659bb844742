"""Models that were made elsewhere, as runs: `foreign` keeps the architecture of any causal language model of Hugging Face."""
