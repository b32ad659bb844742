"""What `dashboard.py` measures in a browser, a topic a file."""
