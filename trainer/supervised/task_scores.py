"""How well a task is done, and by what it is to be measured: chance, the majority, and a bag of words.

Scores are scikit-learn's and SciPy's. The bag of words is TF-IDF of the words that occur twice or more in the train set, and a logistic
regression on it (ridge regression for scores). Of two texts it sees both bags, their product and their difference; of a similarity, whose
texts have no order, their sum instead of both; of a choice, each answer with the context, and it takes the answer it believes most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from data.tasks.examples import Example, MultipleChoice, Task


def headline(task: Task) -> str:
    """Return the score that stands for a task in tables."""
    return "spearman" if task.is_regression else "accuracy"


def score(task: Task, predictions: ArrayLike, which: ArrayLike | None = None) -> dict[str, float]:
    """Judge predictions for the test set.

    Parameters
    ----------
    task : whose test set it is.
    predictions : (example,) classes, or scores of a regression.
    which : the numbers of the examples that these are of, (example,); all if None.

    Returns
    -------
    ``accuracy`` and ``matthews`` (correlation) of classes; ``f1`` of the second class where there are two, otherwise the mean of the
    classes' own (macro); only accuracy of a choice, whose classes mean nothing. ``pearson``, ``spearman`` and ``squared_error`` of a
    regression; correlations with what is all the same count as 0.
    """
    from scipy import stats
    from sklearn import metrics

    said = np.asarray(predictions)
    truth = np.array(task.targets())[slice(None) if which is None else np.asarray(which)]
    if task.is_regression:
        is_constant = len(said) < 2 or np.ptp(said) == 0 or np.ptp(truth) == 0
        return {
            "pearson": 0.0 if is_constant else float(stats.pearsonr(truth, said)[0]),
            "spearman": 0.0 if is_constant else float(stats.spearmanr(truth, said)[0]),
            "squared_error": float(metrics.mean_squared_error(truth, said)),
        }
    found = {"accuracy": float(metrics.accuracy_score(truth, said))}
    if task.kind != "choice":
        average = "binary" if len(task.labels) == 2 else "macro"
        found["f1"] = float(metrics.f1_score(truth, said, average=average, zero_division=0.0))
        is_constant = len({*truth, *said}) < 2
        found["matthews"] = 0.0 if is_constant else float(metrics.matthews_corrcoef(truth, said))
    return found


def chance(task: Task) -> dict[str, float]:
    """Return what guessing gives: one class in so many, or no correlation."""
    return {"pearson": 0.0, "spearman": 0.0} if task.is_regression else {"accuracy": 1 / len(task.labels)}


def majority(task: Task) -> dict[str, float]:
    """Return what always saying the same gives: the most frequent class of the train set, or its mean score."""
    return score(task, np.full(len(task.test), task.majority))


def bag_of_words(task: Task) -> dict[str, float]:
    """Return what a linear model of the words gives, as the module says."""
    from sklearn.linear_model import LogisticRegression, Ridge

    vectorizer = _fitted_vectorizer(task)
    learned, judged = (_features(vectorizer, task, examples) for examples in (task.train, task.test))
    targets = np.array(task.targets("train"))
    if task.kind != "choice" and len(set(targets)) == 1:  # nothing can be fitted to it
        return score(task, np.full(len(task.test), targets[0]))
    if task.kind == "choice":
        targets = np.concatenate([np.arange(len(task.labels)) == target for target in targets])
    model: Any = Ridge() if task.is_regression else LogisticRegression(max_iter=2000)
    model.fit(learned, targets)
    if task.is_regression:
        return score(task, model.predict(judged))
    if task.kind == "choice":
        return score(task, model.decision_function(judged).reshape(-1, len(task.labels)).argmax(1))
    return score(task, model.predict(judged))


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
    """Return a row of features an example, or an answer of a choice."""
    from scipy import sparse

    if task.kind == "classification":
        return vectorizer.transform([example.texts[0] for example in examples])
    if task.kind == "choice":
        pairs = [
            (example.context, answer)
            for example in examples
            if isinstance(example, MultipleChoice)
            for answer in example.answers
        ]
    else:
        pairs = [(example.texts[0], example.texts[1]) for example in examples]
    one, other = (vectorizer.transform(texts) for texts in zip(*pairs, strict=True))
    both = [one + other] if task.kind == "similarity" else [one, other]
    return sparse.hstack([*both, one.multiply(other), abs(one - other)]).tocsr()
