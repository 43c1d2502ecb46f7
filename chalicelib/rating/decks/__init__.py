"""Rate decks: the compiled table of prefixes, its items, and publishing a deck file."""
