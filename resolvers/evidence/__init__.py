"""Mutations of evidence: submission by the learner or employer, assessment by the assessor."""
