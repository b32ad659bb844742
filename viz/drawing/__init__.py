"""What films and figures are drawn with: theme, text, layout, surfaces, scatter plots, heat maps, legends, lines and bands."""
