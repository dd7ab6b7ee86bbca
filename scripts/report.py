"""The same as the installed command babi-report."""

from babi_memnet.commands.report import main

if __name__ == "__main__":
    main()
