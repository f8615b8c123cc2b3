"""The built-in drivers, one folder per engine, all with the same set of files."""
