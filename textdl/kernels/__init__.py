"""Compiled loops over plain numpy arrays: no torch, no files, no knowledge of tasks."""
