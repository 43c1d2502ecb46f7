"""The stack on AWS: ``package`` makes its template and its zip, ``deploy`` brings both to CloudFormation.

``template.yaml`` is what Chalice does not make: the table, the bucket, the queues, the alarms. Names and sizes that
differ between stages are in ``.chalice/config.json``; each function's permissions in ``.chalice/policy-*.json``.
"""
