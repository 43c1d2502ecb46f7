"""The room's only door: rate a batch, publish a deck, quote a call, keep custom rates, read rated calls back."""
