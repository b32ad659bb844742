"""The forms for a film, a figure, a highlight and a prompt."""
