"""The forms that ask for a film, a figure, groups of items, or a prompt."""
