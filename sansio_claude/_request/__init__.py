"""What is sent: requests, endpoints, turns, and how an answer is continued.

In: arguments with the API's own names. Out: method, address, headers and body.
Promises: nothing is changed or added that was not asked for; no key in any repr.
"""
