"""The SQLite driver: a file through the standard library, with each column's type from what it declares and holds."""
