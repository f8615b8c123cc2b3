"""SQL as text: where statements and placeholders stand, which literals are secrets. A server gets it as it was."""
