"""The local stack: Forfait and its AWS on one machine, without Docker; never shipped to Lambda.

Two processes run. ``serve`` holds the emulated AWS (``aws``), the HTTP server (``gateway``, ``server``) and the
loopback end of every event function (``invoke``); ``worker`` runs the event functions, so that rating a big file does
not slow the API down. ``provision`` is the one description of what exists in the emulated AWS. ``snapshot`` keeps it on
disk, and ``journal`` what has changed since: ``recorder`` sees the changes, ``replay`` makes them again.
``stack`` and ``emulator`` are what tests and the demo use: the same things as child processes, and the emulated AWS in
the process of a test.

``docs/local-stack.md`` explains how to use it and what a power cut may cost.
"""
