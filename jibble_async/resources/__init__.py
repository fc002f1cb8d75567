"""Which calls exist: tables of operations, and hardly any logic."""
