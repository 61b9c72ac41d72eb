"""From the bytes of a body to events and a message.

In: bytes of an event stream in any chunking. Out: server-sent events, typed events, the message so far.
Promises: any bytes give events, then at most one RemoteProtocolError or APIError, the same for any chunking.
"""
