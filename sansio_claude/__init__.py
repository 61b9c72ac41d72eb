"""Claude's streaming Messages API as a sans-I/O protocol: bytes in, typed events and a finished message out."""
