"""The reference load-management controller: a pure core and its ports. It knows nothing of the bench."""
