"""Pure metrics on recorded signals: response, exposure, allocation, fallback, breaker, statistics, uncertainty.

Every function takes polylines as :meth:`hilbench.signals.Signal.polyline` gives them and is exact on them: nothing is
resampled. Time is in seconds, current in amperes. A thing that never happened is ``math.inf``; a thing that cannot be
known from the data is ``math.nan``.
"""
