"""Calls: one request and its answer, with deadlines, retries and the pool of connections.

In: a request, the time, bytes of a connection. Out: actions for an adapter to do, and the events of the answer.
Promises: pure and deterministic; cancelled at any action, the pool stays right.
"""
