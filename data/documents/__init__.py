"""Many short texts: sources of documents, their tokens, and how they are packed into rows."""

from data.documents.document_tokens import encode_documents
from data.documents.packing import Rows, pack_rows, shuffle_rows
from data.documents.sources import Documents, read_documents

__all__ = ["Documents", "Rows", "encode_documents", "pack_rows", "read_documents", "shuffle_rows"]
