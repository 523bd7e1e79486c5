"""What is kept, and how: tables, the engine and its transactions, one module of plain functions per noun.

Store functions take an open session and never commit; whoever opened the transaction does.
"""
