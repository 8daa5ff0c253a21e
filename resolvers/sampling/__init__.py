"""Sampling by internal quality assurance: the policy, plans, and what an IQA finds in single units."""
