"""Meaning as vectors: models of texts, search among vectors, and indexes of them.

Importing this package imports neither torch nor FAISS nor sentence-transformers.
"""
