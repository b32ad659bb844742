"""Files that are written whole or not at all, read without trust, and lie inside the folder that they belong to.

`data.files.regular_files` opens regular files only and follows no link out of a folder; `data.files.atomic_files` writes them so that a
crash leaves the old or the new contents; `data.files.json_files` reads JSON and checks it against a schema; `data.files.safetensors_files`
reads and writes tensors.
"""
