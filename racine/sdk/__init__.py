"""Jobs written in Python: typed calls that make the same document as JSON."""
