"""Shared by all tests."""

import os

# Before torch is imported: the models here are small, and threads that wait for each other only slow them down.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
