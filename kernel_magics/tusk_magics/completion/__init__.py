"""Completion and inspection of SQL, served by the kernel: the same in Lab, Notebook, VS Code and terminal IPython.

A keystroke passes through five modules: `cell` says where in a cell the cursor is, `context` what may stand there (pure
functions of text), `schema` what the kernel knows of the database, `candidates` which names fit, `matcher` hands them to
IPython. Nothing here waits for a database: what is not known yet is fetched behind the keystroke.
"""
