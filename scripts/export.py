"""The same as the installed command babi-export."""

from babi_memnet.commands.export import main

if __name__ == "__main__":
    main()
