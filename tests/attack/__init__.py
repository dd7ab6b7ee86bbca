"""What may go wrong, tried with generated cases: bad values, damaged files, hostile archives, signals, full disks.

Each case ends in one of two ways that are fine, one clear line and status 2, or accepted and right, or else fails its
test. What all of them ended in is the last line of a test run. A sample is part of ``make test``, the whole is marked
``attack``. ``BABI_ATTACK_SEED`` draws other cases.
"""
