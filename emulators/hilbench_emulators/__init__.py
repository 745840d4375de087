"""Everything the bench pretends to be."""
