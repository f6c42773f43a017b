"""Scripts that measure textdl against a named peer, both sides in one run. Run one with: python -m benchmarks.NAME"""
