"""The ledger: posting, the usage of batches, months, entries that people post, history, queries."""
