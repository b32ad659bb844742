"""A tour of a run in five stops: what each shows, in sentences that say no more than their tests, and where it is shown."""
