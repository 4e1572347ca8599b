"""All that needs no Pulumi: what is declared, what is observed, what is decided."""
