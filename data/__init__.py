"""Text in, tokens out; and runs on disk. Nothing here needs torch.

Nouns: a `~data.corpora.catalog.Corpus` is a text with its hash; a `~data.tokens.tokenizers.Tokenizer` turns text into token ids and back; a
`~data.runs.Run` is what one training wrote, a `~data.runs.Snapshot` its weights at one step.
"""
