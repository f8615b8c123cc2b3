"""What is drawn in a notebook."""
