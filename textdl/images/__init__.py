"""Reading images: idx files, pictures in folders of classes, arrays in npz, rows of the Hub; and sheets of them.

Numpy and Pillow only. What is read is a :class:`textdl.images.part.Part`; `textdl.image_corpus` makes a corpus of it.
"""
