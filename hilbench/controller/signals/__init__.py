"""Signals from the grid: OpenADR 3 events become one limit of the site's import (see :mod:`.ven`)."""
