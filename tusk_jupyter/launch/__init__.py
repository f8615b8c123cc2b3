"""Driver processes: found (`catalog`), started and called (`process`), kept warm (`spares`), ended step by step (`ladder`)."""
