"""Values of every type of every engine, and what a result must have of them: NULL, the ends, the awkward ones.

The drivers' own tests read them at the session, `tests/engines/test_types_on_the_wire.py` where the user stands.
"""
