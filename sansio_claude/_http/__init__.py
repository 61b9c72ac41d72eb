"""HTTP/1.1 as a state machine: heads by h11, bodies by a decoder of this package (RFC 9112).

In: bytes of a connection. Out: a response head, bytes of the body, its end.
Promises: the same for any chunking; limits on everything that grows.
"""
