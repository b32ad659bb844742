"""What stands around every page: the header with its tools, the sentence about the page, and the card of the tour."""
