"""Services of notices: the receivers of an event (``fanout``), ``sending``, and what the API sets (``choices``)."""
