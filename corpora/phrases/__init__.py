"""The grammar of the phrase corpora: words, constructions, and the scripts that write the files."""
