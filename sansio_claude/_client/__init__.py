"""The client and its streams, the same on every event loop.

In: an endpoint, options and a `Runtime` of the adapter. Out: streams, messages, runs.
Promises: imports no event loop, starts no task.
"""
