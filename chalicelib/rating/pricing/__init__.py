"""What a call costs: prices, precedence, dated terms, ownership, the rate book of a batch, quotes and price lists."""
