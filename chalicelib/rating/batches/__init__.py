"""Batches: a CDR file is read, priced and committed to the ledgers; later it may be rated again or compacted."""
