"""Drivers of real hardware that a rig can hold in an emulated device's place."""
