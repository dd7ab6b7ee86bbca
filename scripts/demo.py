"""The same as the installed command babi-demo."""

from babi_memnet.commands.demo import main

if __name__ == "__main__":
    main()
