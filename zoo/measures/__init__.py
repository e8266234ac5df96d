"""Metrics of models: one task or kind of output per file, the same in fine-tuning and in evaluation.

A measure collects batches of outputs with their targets, and returns metrics by name. A trainer in
`zoo.training.trainers` chooses the one of its task. Nothing here reads data, or imports Keras at the top.
"""
