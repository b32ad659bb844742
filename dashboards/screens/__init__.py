"""The pages, one file each.

The folder is not called ``pages``: Streamlit takes a folder of that name beside the app for its older kind of pages, and links to a page
would break.
"""
