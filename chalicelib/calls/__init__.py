"""Rated calls at rest: the format of their files, the index that finds them, search, and the copy for Athena."""
