"""A fuzz of MessageStream: `python -m tests.fuzz --seconds 60 --seed 1`. Any bytes, the promises of reading held."""
