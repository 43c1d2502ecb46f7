"""Speed, memory and cost: ``python -m benchmarks`` measures the product and prints a table.

Speeds are compared with named baselines that are measured on the same machine in the same run, one after the other in
turn, because a figure alone says more about the machine than about the product. Each measure of memory or processor
time runs in a fresh process of its own.

``prefixes``, ``sample`` and ``shop`` make the workload; ``core``, ``whole``, ``cold`` and ``cost`` measure;
``baselines`` are what they are compared with; ``table`` prints. ``docs/performance.md`` explains the figures.
"""
