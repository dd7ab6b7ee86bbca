"""The same as the installed command babi-generate."""

from babi_memnet.commands.generate import main

if __name__ == "__main__":
    main()
