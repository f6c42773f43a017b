"""``python -m textdl_cli``, which is how ``torchrun`` calls it."""

from .main import main

if __name__ == "__main__":
    main()
