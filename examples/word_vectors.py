"""Word vectors of the built-in news, or of a text of yours.

python examples/word_vectors.py [TEXT] [--epochs 20]
"""

import argparse
import re

import textdl
from textdl.corpus import open_corpus
from textdl.text.sentences import split_sentences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", default="news", help="A built-in corpus, a file or a folder.")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()

    texts = open_corpus(options.text).split("train")
    sentences = [re.findall(r"\w+", sentence.lower()) for text in texts for sentence in split_sentences(text)]
    model = textdl.Word2Vec(dim=50, least_count=3, epochs=options.epochs, threads=1).fit(sentences)
    print(f"loss an epoch: {', '.join(f'{loss:.2f}' for loss in model.losses_)}")

    vectors = model.vectors_
    for word in list(vectors.words)[60:65]:
        print(f"{word}: {', '.join(found for found, _ in vectors.nearest(word, 5))}")


if __name__ == "__main__":
    main()
