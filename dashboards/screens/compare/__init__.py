"""The views of the page that compares runs; `dashboards.screens.compare_page` draws it."""
