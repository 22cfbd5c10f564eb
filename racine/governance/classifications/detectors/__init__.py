"""Questions about one value that are answered yes or no; each module holds one family."""
