from .corpora.catalog import CORPORA, Corpus, fetch_corpus, load_corpus, load_plays
from .documents.sources import Documents, read_documents
from .errors import InputError, NotApplicableError
from .runs.names import runs_folder
from .runs.run import Run, create_run, list_runs, open_run, write_snapshot
from .runs.snapshot import Snapshot
from .tasks.examples import Task
from .tasks.play_tasks import play_task
from .tasks.task_files import read_task
from .tokens.batches import split_text, window_starts
from .tokens.bits import bits_per_character
from .tokens.special_tokens import with_special_tokens
from .tokens.subwords import SubwordTokenizer
from .tokens.tokenizers import CharTokenizer, Tokenizer
from .tokens.vocabularies import learn_bpe, read_tokenizer

__all__ = [
    "CORPORA",
    "CharTokenizer",
    "Corpus",
    "Documents",
    "InputError",
    "NotApplicableError",
    "Run",
    "Snapshot",
    "SubwordTokenizer",
    "Task",
    "Tokenizer",
    "bits_per_character",
    "create_run",
    "fetch_corpus",
    "learn_bpe",
    "list_runs",
    "load_corpus",
    "load_plays",
    "open_run",
    "play_task",
    "read_documents",
    "read_task",
    "read_tokenizer",
    "runs_folder",
    "split_text",
    "window_starts",
    "with_special_tokens",
    "write_snapshot",
]
