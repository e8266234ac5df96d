"""The parts of `zoo.finetune`: what is learnt from, in which order, and how a run is kept. Keras' `fit` loops."""
