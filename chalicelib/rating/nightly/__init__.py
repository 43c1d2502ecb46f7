"""Scheduled checks and repairs: recover lost files, reconcile the books, sweep unnamed objects."""
