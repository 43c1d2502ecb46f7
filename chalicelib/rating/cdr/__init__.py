"""From the bytes of a CDR file to calls: compression, encoding, records, formats of the switches."""
