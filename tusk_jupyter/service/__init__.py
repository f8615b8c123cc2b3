"""The core service: one process per user and state folder, which alone opens the state, resolves secrets and starts drivers.

`server` is its Flight endpoint, `core` holds the parts together, `lifecycle` starts and ends it; `clients`, `sessions` and
`runs` are what it keeps in memory, `targets` and `connections` what it knows of databases.
"""
