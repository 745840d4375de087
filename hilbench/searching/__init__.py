"""Search for the worst: random sites, random stimuli and overlapping faults, each scenario repeated by its seed.

``draw`` makes a scenario from a rig and a seed, ``fair`` keeps to what a controller can be asked for, ``play`` runs it
on the bench, ``judge`` asks every OCPD whether it would have tripped, ``results`` keeps what was found.
"""
