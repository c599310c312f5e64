"""Zones to findings: what a message names, gives and states, each with its place and its rule."""
