"""The computations behind the pages: queries and their cache, background jobs, commands, and text generation."""
