"""Folders and single files: delimited text, JSON and Parquet."""
