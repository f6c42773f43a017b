"""The corpus "kitchen_notes": tagged notes of a kitchen and a shop, with parts of speech and entities."""
