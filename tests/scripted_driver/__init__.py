"""A driver without a database: its SQL says how it behaves, so that the core can be tested against bad behaviour too."""
