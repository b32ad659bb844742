"""The kinds of films, their timeline, and their encoding."""
