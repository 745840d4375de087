"""The acceptance catalogue as pytest tests: ``pytest --pyargs hilbench.acceptance --rig RIG``."""
