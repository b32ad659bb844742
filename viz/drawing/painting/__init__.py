"""Artists that paint thousands of discs and lines straight into the pixels of a frame, where matplotlib would take a second."""
