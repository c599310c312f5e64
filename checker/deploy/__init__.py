"""How the service is run: a systemd unit and a container file, as text to copy and change."""
