"""Names, order, occurrence, types and ranges of the elements of V2G messages, one module a standard or part."""
