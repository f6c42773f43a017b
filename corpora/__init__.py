"""The corpora that ship with textdl: a folder each, with a card, the files, and the script that wrote them."""

#: The built-in corpora. A new one is a folder beside this file and a name here.
NAMES = (
    "recipes",
    "news",
    "reviews",
    "phrases-en-es",
    "phrases-en-fr",
    "kitchen_notes",
    "digits",
    "spirals",
    "circles",
    "strokes",
)
