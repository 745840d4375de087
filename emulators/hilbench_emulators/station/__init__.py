"""Charging stations that are programs: electrical behaviour at the outlet, OCPP towards a controller."""
