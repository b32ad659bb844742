"""Text in, tokens out; and runs on disk. Nothing here needs torch.

Texts
    `load_corpus` reads a named corpus or any text file as a `Corpus`; `CORPORA` lists the names, `fetch_corpus` downloads one, and
    `load_plays` gives the single plays of Shakespeare. `read_documents` reads many short texts as `Documents`.
Tokens
    A `Tokenizer` turns text into token ids and back: a `CharTokenizer`, or a `SubwordTokenizer` that `learn_bpe` learns from a text
    or `read_tokenizer` reads from files. `with_special_tokens` adds tokens that stand for no text. `split_text` holds the end of a text
    out, `window_starts` draws batches, `bits_per_character` compares losses over different tokens.
Tasks
    `read_task` reads a supervised `Task` from a table, `play_task` makes one from the plays.
Runs
    A `Run` is what one training wrote, a `Snapshot` its weights at one optimizer step. `open_run` opens one, `list_runs` lists them,
    `create_run` and `write_snapshot` write one. They lie in the `runs_folder`.
Errors
    `InputError` is a mistake that the user can correct, `NotApplicableError` a request that does not apply to a run. Every function
    raises `InputError` for an argument or a file that it cannot use; the message says what was found and what to do.

The subpackages hold the rest: `data.corpora`, `data.tokens`, `data.documents`, `data.tasks`, `data.runs`. ``python -m data`` lists and
fetches corpora.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
