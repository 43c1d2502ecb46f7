"""The report of calls, the closing of months, and the functions that run every hour."""
