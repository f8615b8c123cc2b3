"""The DuckDB driver: one process holds a file for all sessions on it, each with a connection of its own."""
