"""What loaders are made of. Read the modules in this order:

1. `read_session`: runs scoped statements for one operation
2. `rows`: light rows, which declare what a statement selects
3. `dataloader`: collects keys and reads them together
4. `base`: the kinds of loader that entities derive from
5. `registry`: the loaders of one operation, and the loader of each GraphQL type
6. `pagination`, `filters`, `paged_list`: lists, a page at a time
7. `qualification_cache`, `delegated`: what units and criteria use besides
"""
