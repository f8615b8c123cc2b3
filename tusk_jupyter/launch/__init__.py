"""Driver processes: found (`catalog`), started (`process`), heard (`words`), kept warm (`spares`), ended (`ladder`)."""
