"""Memory networks: each is a plain ``torch.nn.Module`` in a file of its own, with the equations of its paper."""

from babi_memnet.paths import added_folders

# So that networks in the folders of a user are modules of this package, in every process.
__path__ += [str(folder / "models") for folder in added_folders()]
