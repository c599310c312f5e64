"""The commands, one module each; :mod:`checker.cli.main` loads only the one that is called."""
