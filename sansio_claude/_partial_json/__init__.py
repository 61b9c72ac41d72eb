"""JSON that has not arrived whole: the best value so far, and what is new in it.

In: text in pieces. Out: a live value, its changes, at the end the value that `json.loads` gives.
Promises: linear; `feed` never raises.
"""
