"""Two engines that attribute and price the lines of a CDR file: the reference engine and the vector engine."""
