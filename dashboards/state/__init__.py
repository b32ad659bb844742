"""What a visit holds: the URL, the language, and the runs and films that can be chosen."""
