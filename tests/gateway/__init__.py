"""Tests of sansio_claude.gateway."""
