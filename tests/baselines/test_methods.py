"""The log-count ratio and naive Bayes by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from textdl.baselines.methods import Fitting, linear_map, log_count_ratio

ROWS = csr_matrix(np.array([[1.0, 0, 1], [1, 1, 0], [0, 1, 0]]))
TRUTH = np.array([True, True, False])


def test_log_count_ratio():
    # With the label [2, 1, 1], without it [0, 1, 0]; one more each: [3, 2, 2] of 7 and [1, 2, 1] of 4.
    wanted = [np.log((3 / 7) / (1 / 4)), np.log((2 / 7) / (2 / 4)), np.log((2 / 7) / (1 / 4))]
    assert log_count_ratio(ROWS, TRUTH) == pytest.approx(wanted)
    half = [np.log((2.5 / 5.5) / (0.5 / 2.5)), np.log((1.5 / 5.5) / (1.5 / 2.5)), np.log((1.5 / 5.5) / (0.5 / 2.5))]
    assert log_count_ratio(ROWS, TRUTH, before=0.5) == pytest.approx(half)
    assert log_count_ratio(ROWS, ~TRUTH) == pytest.approx([-r for r in wanted])


@pytest.mark.parametrize("several", [False, True])
def test_naive_bayes(several):
    truth = np.stack([~TRUTH, TRUTH], axis=1)
    weights, bias = linear_map(ROWS, truth, np.ones(truth.shape), Fitting("naive-bayes", 1.0, several, 1))
    odds, prior = log_count_ratio(ROWS, TRUTH), np.log(2)
    if several:  # the log-odds of each label
        assert weights[:, 1] == pytest.approx(odds)
        assert bias == pytest.approx([-prior, prior])
    else:  # shared out to the two classes
        assert weights[:, 1] == pytest.approx(odds / 2)
        assert bias == pytest.approx([-prior / 2, prior / 2])
    assert weights[:, 0] == pytest.approx(-weights[:, 1])


def test_nb_svm_weighs_by_what_is_there_not_by_how_often():
    truth = np.stack([~TRUTH, TRUTH], axis=1)
    fitting = Fitting("nb-svm", 1.0, False, 1)
    lengths = csr_matrix(ROWS.toarray() / [[2], [3], [1]])
    one, other = (log_count_ratio(rows > 0, TRUTH) for rows in (ROWS, lengths))
    assert one.tolist() == other.tolist()
    scaled, bias = linear_map(lengths, truth, np.ones(truth.shape), fitting)
    assert np.sign(scaled[:, 1]).tolist() == np.sign(one).tolist()
    assert bias[0] == -bias[1]
