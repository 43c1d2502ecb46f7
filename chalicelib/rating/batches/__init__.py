"""One CDR file on its way into the ledgers: read, write, commit, and everything that is done to a batch later."""
