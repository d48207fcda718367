"""Reading shards, mixes and benchmarks, and the normal form of text; knows nothing above it."""
