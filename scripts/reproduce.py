"""The same as the installed command babi-reproduce."""

from babi_memnet.commands.reproduce import main

if __name__ == "__main__":
    main()
