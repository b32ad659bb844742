"""The types of arrays that the whole toolkit names."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TokenIds = NDArray[np.int64]
"""Token ids, of any shape."""
