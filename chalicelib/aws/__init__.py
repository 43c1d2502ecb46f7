"""Everything that speaks to AWS: clients, the table and its one transaction, queues, objects, secrets."""
