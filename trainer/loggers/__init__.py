"""Logging a training to TensorBoard, Weights & Biases or Trackio, beside its metrics.jsonl (`trainer.loggers.choice`)."""
