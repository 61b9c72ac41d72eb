"""The rules of `request.check()`: what the API would refuse, ignore or advise against, before it is sent.

In: the body of a request as JSON. Out: problems in plain words, each with a severity and a path.
Promises: never raises, changes nothing, linear.
"""
