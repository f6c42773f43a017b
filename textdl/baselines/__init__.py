"""Linear models of texts: what every neural figure is held against. Nothing here imports torch."""
