"""Where a connection goes and how it is secured: addresses, proxies, TLS.

In: URLs, and bytes of the wire. Out: parsed addresses, bytes to send, decrypted bytes.
Promises: no I/O; nothing is guessed of a wrong address.
"""
