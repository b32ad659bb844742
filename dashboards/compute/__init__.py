"""What pages have computed for them: queries, their cache, background jobs and text generation."""
