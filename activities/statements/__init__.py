"""Statements of jobs on registered sources: sessions that read, or write when told to."""
