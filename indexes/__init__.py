"""Look-up structures: they know keys, not documents."""
