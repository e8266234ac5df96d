"""What a maintainer runs: the demonstration on one page, the samples of `zoo demo`, publishing the embedded models."""
