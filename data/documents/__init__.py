"""Many short texts: where they come from, their tokens, and how they are packed into rows."""
