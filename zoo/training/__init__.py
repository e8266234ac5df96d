"""The parts of `zoo.finetune`: what is trained on, in which order, and how a run is saved. Keras' `fit` loops."""
