"""SQL as text: where statements and placeholders stand, and which literals are secrets. Never changes a character of it."""
