"""Text generation: filters of the next-token distribution, key-value cache, sampling and traces."""
