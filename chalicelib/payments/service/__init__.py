"""What this room does: settings, deposits, messages, and what they move."""
