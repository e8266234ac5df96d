"""A linear head is the minimum of what it is said to minimise: as scikit-learn finds it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from zoo.training.lbfgs import minimize
from zoo.training.linear_head import PENALTIES, feature_scale, fit_linear_head, linear_loss, sigmoid_loss, softmax_loss


def blobs(count=90, width=6, classes=3, noise=1.5):
    generator = np.random.default_rng(0)
    labels = np.arange(count) % classes
    return 5 + generator.normal(size=(classes, width))[labels] + generator.normal(0, noise, (count, width)), labels


def scaled(features):
    """As the penalty sees them."""
    return (features - features.mean(axis=0)) / feature_scale(features)


def test_features_are_divided_by_the_square_roots_of_their_deviations():
    features = np.random.default_rng(0).normal(7, [1.0, 4.0, 16.0], (500, 3))
    deviations = scaled(features).std(axis=0)
    np.testing.assert_allclose(deviations / deviations[0], [1, 2, 4], rtol=0.1)
    assert np.square(deviations).mean() == pytest.approx(1)


def test_of_one_class_it_is_logistic_regression():
    features, labels = blobs()
    weights = np.where(labels == 0, 3.0, 1.0)
    head = fit_linear_head("softmax", features, np.eye(3)[labels], weights=weights)
    strength = head.penalty * weights.sum()
    expected = LogisticRegression(C=1 / strength, tol=1e-10, max_iter=9999).fit(scaled(features), labels, weights)
    np.testing.assert_allclose(
        head(features) - head(features).mean(axis=1, keepdims=True),
        expected.decision_function(scaled(features)),
        atol=2e-3,
    )


def test_of_several_classes_it_is_logistic_regression_of_each():
    features, labels = blobs()
    targets = np.stack([labels == 0, labels > 0], axis=1).astype(float)
    head = fit_linear_head("sigmoid", features, targets)
    strength = 2 * head.penalty * len(labels)  # the loss is a mean over both
    for column in range(2):
        expected = LogisticRegression(C=1 / strength, tol=1e-10, max_iter=9999).fit(
            scaled(features), targets[:, column]
        )
        np.testing.assert_allclose(head(features)[:, column], expected.decision_function(scaled(features)), atol=5e-3)


def test_of_quantities_it_is_ridge():
    features, _ = blobs()
    targets = features @ np.arange(12.0).reshape(6, 2) * 1000 + 7 + np.random.default_rng(1).normal(0, 900, (90, 2))
    head = fit_linear_head("linear", features, targets)
    strength = 2 * head.penalty * len(features)
    expected = Ridge(alpha=strength).fit(scaled(features), targets)
    np.testing.assert_allclose(head(features), expected.predict(scaled(features)), rtol=1e-3, atol=5)


def test_the_penalty_is_strong_where_features_know_nothing_and_weak_where_they_know_all():
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    noise = generator.normal(size=(60, 30))
    assert fit_linear_head("softmax", noise, np.eye(2)[labels]).penalty == max(PENALTIES)
    clear = noise + 9 * labels[:, None]
    assert fit_linear_head("softmax", clear, np.eye(2)[labels]).penalty < 0.1


def test_views_of_an_example_stay_in_one_fold():
    generator = np.random.default_rng(0)
    noise, labels = generator.normal(size=(40, 30)), np.arange(40) % 2
    twice = fit_linear_head("softmax", np.tile(noise, (2, 1)), np.eye(2)[np.tile(labels, 2)], views=2)
    assert twice.penalty == max(PENALTIES)  # a copy on the other side would make them look learnable


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_examples_makes_a_head(count):
    features = np.arange(2.0 * count).reshape(count, 2)
    head = fit_linear_head("softmax", features, np.eye(2)[np.arange(count) % 2])
    assert np.isfinite(head(features)).all()


def test_a_feature_that_never_changes_does_no_harm():
    features, labels = blobs()
    head = fit_linear_head("softmax", np.concatenate([features, np.full((90, 1), 7.0)], axis=1), np.eye(3)[labels])
    assert np.isfinite(head.kernel).all()
    assert fit_linear_head("softmax", np.zeros((6, 2)), np.eye(3)[[0, 1, 2] * 2])(np.zeros((1, 2))).round(3).std() == 0


@pytest.mark.parametrize("loss", [softmax_loss, sigmoid_loss, linear_loss])
def test_slopes_are_those_of_the_losses(loss):
    generator = np.random.default_rng(0)
    outputs, targets = generator.normal(size=(4, 3)) * 3, np.eye(3)[[0, 2, 1, 1]]
    _, slopes = loss(outputs, targets)
    for place in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[place] = 1e-5
        rise = (loss(outputs + step, targets)[0] - loss(outputs - step, targets)[0])[place[0]] / 2e-5
        assert slopes[place] == pytest.approx(rise, abs=1e-7)


def test_a_narrow_valley_is_followed_to_its_end():
    curvatures = 10.0 ** np.arange(5)
    found = minimize(lambda x: (0.5 * (curvatures * (x - 1) ** 2).sum(), curvatures * (x - 1)), np.zeros(5), 1e-8)
    np.testing.assert_allclose(found, 1, atol=1e-7)
