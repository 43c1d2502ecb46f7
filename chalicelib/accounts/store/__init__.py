"""Items of this room in the one table; each model spells its own key."""
