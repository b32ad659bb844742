"""What pictures are drawn with: theme, text, layout, scatter, legend, heat maps, lines and bands."""
