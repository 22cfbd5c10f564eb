"""`racine demo`: the governance run over a made-up estate, through the public API alone."""
