"""What loaders are made of. Read the modules in this order:

1. `read_session`: runs scoped statements for one operation
2. `rows`, `row_properties`: light rows, which declare what a statement selects, and what is computed from it
3. `shapes`: the columns of a row that an operation needs
4. `dataloader`: collects keys and reads them together
5. `base`: the kinds of loader that entities derive from
6. `registry`: the loaders of one operation, and the loader of each GraphQL type
7. `pagination`, `filters`, `paged_list`: lists, a page at a time
8. `qualification_cache`: what units and criteria use besides
"""
