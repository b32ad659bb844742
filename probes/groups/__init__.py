"""Groups of items, the null groups they are compared with, and their cohesion."""
