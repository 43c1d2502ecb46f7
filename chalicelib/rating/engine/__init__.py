"""Two engines that turn the calls of a file into rated lines: the reference and the vector engine."""
