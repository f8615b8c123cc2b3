"""What the core remembers: an append-only journal first, a DuckDB file as its queryable projection.

Only the core process imports this package; `store.Store` is the way in. A change is durable when its journal record
is, so the DuckDB file can be thrown away and drawn anew at any time. Neither of the two ever holds a secret.
"""
