"""Networks once more, in code for one kind of machine: faster, with the values and gradients of the network itself."""
