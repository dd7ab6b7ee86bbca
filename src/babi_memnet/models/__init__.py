"""Memory networks: each is a plain ``torch.nn.Module`` with the names and equations of its paper."""
