"""The mirror of a run somewhere else: written only, since the record on disk is the truth."""
