"""What the outputs of models are worth: one task or kind of output a file, the same in fine-tuning and in evaluation.

A measure gathers batches of outputs with their targets, and gives metrics by name. A trainer in `zoo.training.trainers`
says which one its task has. Nothing here imports Keras at the top.
"""
