"""Agents and prompts on a Dask cluster: runs that move between workers, and one rate limit for all of them."""
