"""The ledger: posting, the usage of batches, months, entries by hand, history."""
