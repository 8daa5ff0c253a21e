"""The three sets of rows that tests act on, each built once a run and copied for each test.

`empty_portfolio`: a learner with staff and managers of every role, and nothing submitted yet: for mutations.
`full_portfolio`: a learner with a record of every kind: for queries and exports.
`authorization`: records of every kind for seven learners at two providers: for the tests of who sees what.
"""
