"""Rate decks, the operator's costs by prefix: compiled, stored, published from a dropped file."""
