"""Services of payments: settings, deposits, orders, messages and review items."""
