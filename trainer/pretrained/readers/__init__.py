"""One reader for each family of models that becomes our GPT: recognition, shape, and mapping table."""
