"""What papers published, and how a run of ours compares with it."""
