"""What the adapters share of the process they run in: wall clock, chance, logger.

In: nothing. Out: values that `Runtime` hands down to the client. Promises: no decision is taken here.
"""
