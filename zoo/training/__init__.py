"""The parts of `zoo.finetune`: the data, the plan, and the state of a run. Keras' `fit` loops.

What depends on the task is in `trainers`, one file per task; metrics are in `zoo.measures`.
"""
