"""Whether a call may start, and the money that is held for it until its record is rated."""
