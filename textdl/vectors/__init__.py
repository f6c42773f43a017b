"""Text as vectors: counts, co-occurrence, word2vec, and what words mean by them."""
