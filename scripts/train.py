"""The same as the installed command babi-train."""

from babi_memnet.commands.train import main

if __name__ == "__main__":
    main()
