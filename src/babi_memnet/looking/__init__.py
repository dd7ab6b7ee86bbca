"""Numbers about trained networks: what they attend to, what they answer, where their words are. Draws nothing."""
