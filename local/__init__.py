"""What runs only from a checkout or the image: dev supervisor, demo, one-shot scan."""
