"""What we tell reseller and client: so far the report of calls."""
