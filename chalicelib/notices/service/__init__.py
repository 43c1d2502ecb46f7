"""What this room does: who is told (``fanout``), telling them (``sending``), and what the API offers about it."""
