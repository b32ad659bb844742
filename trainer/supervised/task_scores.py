"""Scores of predictions for a task, and its baselines: chance, the majority class, and a bag of words.

Scores are computed by scikit-learn and SciPy. The bag of words is TF-IDF of the words that occur at least twice in the train set, with a
logistic regression on top (ridge regression for scores). For two texts the features are both bags, their product and their difference.
A similarity has no order, so it has the sum of the bags instead of both. In a choice each answer is paired with the context, and the
most probable answer is predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from data.tasks.examples import Example, Task


def headline(task: Task) -> str:
    """Name the main score of a task, which tables show."""
    return "spearman" if task.is_regression else "accuracy"


def score(task: Task, predictions: ArrayLike, which: ArrayLike | None = None) -> dict[str, float]:
    """Score predictions for the test set, or for the examples whose numbers are ``which``: classes, or scores of a regression.

    Returns
    -------
    For classes ``accuracy``, ``matthews`` (correlation) and ``f1``: of the second class if there are two, otherwise the mean over classes
    (macro). For a choice only ``accuracy``, since its classes are mere positions. For a regression ``pearson``, ``spearman`` and
    ``squared_error``; the correlation with a constant counts as 0.
    """
    from scipy import stats
    from sklearn import metrics

    predicted = np.asarray(predictions)
    truth = np.array(task.targets())[slice(None) if which is None else np.asarray(which)]
    if task.is_regression:
        is_constant = len(predicted) < 2 or np.ptp(predicted) == 0 or np.ptp(truth) == 0
        return {
            "pearson": 0.0 if is_constant else float(stats.pearsonr(truth, predicted)[0]),
            "spearman": 0.0 if is_constant else float(stats.spearmanr(truth, predicted)[0]),
            "squared_error": float(metrics.mean_squared_error(truth, predicted)),
        }
    found = {"accuracy": float(metrics.accuracy_score(truth, predicted))}
    if task.kind != "choice":
        average = "binary" if len(task.labels) == 2 else "macro"
        found["f1"] = float(metrics.f1_score(truth, predicted, average=average, zero_division=0.0))
        is_constant = len({*truth, *predicted}) < 2
        found["matthews"] = 0.0 if is_constant else float(metrics.matthews_corrcoef(truth, predicted))
    return found


def chance(task: Task) -> dict[str, float]:
    """Compute the expected score of guessing: one over the number of classes, or no correlation."""
    return {"pearson": 0.0, "spearman": 0.0} if task.is_regression else {"accuracy": 1 / len(task.labels)}


def majority(task: Task) -> dict[str, float]:
    """Score a constant prediction: the most frequent class of the train set, or its mean score."""
    return score(task, np.full(len(task.test), task.majority))


def bag_of_words(task: Task) -> dict[str, float]:
    """Score a linear model on a bag of words (see the module)."""
    from sklearn.linear_model import LogisticRegression, Ridge

    vectorizer = _fitted_vectorizer(task)
    train, test = (_features(vectorizer, task, examples) for examples in (task.train, task.test))
    targets = np.array(task.targets("train"))
    if task.kind != "choice" and len(set(targets)) == 1:  # one class only: there is nothing to fit
        return score(task, np.full(len(task.test), targets[0]))
    if task.kind == "choice":
        targets = np.concatenate([np.arange(len(task.labels)) == target for target in targets])
    model: Any = Ridge() if task.is_regression else LogisticRegression(max_iter=2000)
    model.fit(train, targets)
    if task.kind == "choice":
        return score(task, model.decision_function(test).reshape(-1, len(task.labels)).argmax(1))
    return score(task, model.predict(test))


def _fitted_vectorizer(task: Task) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [text for example in task.train for text in example.texts]
    for least in (2, 1):  # a small set may have no word twice
        try:
            return TfidfVectorizer(min_df=least, sublinear_tf=True).fit(texts)
        except ValueError:
            continue
    return TfidfVectorizer(analyzer="char").fit(texts)  # texts without words


def _features(vectorizer: Any, task: Task, examples: Sequence[Example]) -> Any:
    """Build a row of features for each example, or for each answer of a choice."""
    from scipy import sparse

    if task.kind == "classification":
        return vectorizer.transform([example.texts[0] for example in examples])
    pairs = [(example.texts[0], second) for example in examples for second in example.texts[1:]]
    one, other = (vectorizer.transform(texts) for texts in zip(*pairs, strict=True))
    both = [one + other] if task.kind == "similarity" else [one, other]
    return sparse.hstack([*both, one.multiply(other), abs(one - other)]).tocsr()
