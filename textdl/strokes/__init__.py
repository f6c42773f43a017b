"""Pen strokes: one format on disk, what reads others into it, and the step from raw units to what a model learns."""
