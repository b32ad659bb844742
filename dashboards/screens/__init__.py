"""The pages, one file each.

The folder is not called ``pages``: Streamlit takes a folder of that name beside the app for its older kind of pages, and links to a page
would break.
"""

NAME = "GPTLab"
#: The paths of the pages, in the order of the menu; the first one is also the page at the root.
SCREENS = ("overview", "embeddings", "attention", "model", "generate", "films", "compare", "figures")
