"""IPython magics: a thin surface over the core's client.

`extension` registers them. One road through a `%%sql` cell: `line` and `options` read the text, `cell_run` makes the
request, `progress` and `display` say what happens, `errors` and `place` show what went wrong in the user's own text.
"""
