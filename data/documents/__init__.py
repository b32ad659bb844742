"""Many short texts: sources of documents, their tokens, and how they are packed into rows."""

from data.documents.document_tokens import DocumentTokens, documents_of_run, encode_documents
from data.documents.packing import Rows, ShuffledRows, pack_rows, row_bounds, shuffle_rows
from data.documents.records import read_rows
from data.documents.sources import Documents, hold_out, read_documents

__all__ = [
    "DocumentTokens",
    "Documents",
    "Rows",
    "ShuffledRows",
    "documents_of_run",
    "encode_documents",
    "hold_out",
    "pack_rows",
    "read_documents",
    "read_rows",
    "row_bounds",
    "shuffle_rows",
]
