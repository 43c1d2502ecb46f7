"""Scheduled checks and repairs: recover lost files, reconcile the books, sweep objects that no index item names."""
