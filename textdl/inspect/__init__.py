"""Looking inside: pictures and coloured texts of what a model has done. Nothing heavy is imported before it is used."""
