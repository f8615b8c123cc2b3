"""What every Python driver shares: it implements `session.Session`, the kit does the protocol.

`cli` answers `info` and `serve`; `server` is the Flight endpoint; `runs` executes a run's statements and streams their
results; `session` is all that a driver's author writes.
"""
