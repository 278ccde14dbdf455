"""Pure: tables and values in, tables and values out."""
