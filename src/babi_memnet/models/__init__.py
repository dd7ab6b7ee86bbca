"""Memory networks: each is a ``torch.nn.Module`` in a file of its own, with the names and equations of its paper."""
