"""The grid's side of demand response: an OpenADR 3 VTN that can also misbehave (see :mod:`.vtn`)."""
